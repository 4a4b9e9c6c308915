"""Element numbers: what stands for the numbers of a tape, in arrays of any shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Elements = NDArray[np.int64]
