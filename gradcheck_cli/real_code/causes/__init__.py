"""Why entries are wrong: which function or operation is to blame, and what was done wrong there."""
