"""The side under test: the expression as users run it, and what autograd says. The only user of torch."""
