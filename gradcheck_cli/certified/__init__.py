"""What is true: at a point with a proven error bound, everywhere with a proof.

The only user of python-flint and NumPy.
"""
