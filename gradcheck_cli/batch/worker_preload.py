"""Imported by the server that worker processes fork from, so that each of them has what a check needs, from the start.

SymPy is not among it: only some problems need it, and the worker that checks one keeps it for the next.
"""

from gradcheck_cli.checking import loading

loading.load(symbolic=False)
