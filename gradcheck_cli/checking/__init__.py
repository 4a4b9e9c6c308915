"""One problem, from a request to its result: joins the sides and judges each row."""
