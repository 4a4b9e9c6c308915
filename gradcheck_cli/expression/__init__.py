"""The function: nodes of a hash-consed DAG, and the one table of the functions they may call."""
