"""SymPy: closed forms for people; never a verdict. The only user of SymPy."""
