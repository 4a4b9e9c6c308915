"""The chain rule over the DAG, by the rules that the table states: exact, linear in size, no library."""
