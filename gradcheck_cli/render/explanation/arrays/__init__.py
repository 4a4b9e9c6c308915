"""The explanation of a formula of arrays, in each of the formats."""
