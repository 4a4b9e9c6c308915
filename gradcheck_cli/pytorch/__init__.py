"""The side under test: the expression as users run it, and what autograd says. Of formulas, the only user of torch."""

import warnings

with warnings.catch_warnings():
    # torch warns where NumPy is absent, which only many points need.
    warnings.filterwarnings("ignore", "Failed to initialize NumPy")
    import torch  # noqa: F401
