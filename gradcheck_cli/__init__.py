"""Says whether a gradient is right: PyTorch's autograd against the exact derivative, certified.

The public API is `check`, and the records it returns. The heavy libraries are loaded on first use.
"""

__version__ = "0.1.0"
