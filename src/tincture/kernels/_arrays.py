"""Names of the arrays that kernels alone take."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]
Integers32 = NDArray[np.int32]
Records = NDArray[np.floating[Any]]  # (b, p), as any caller holds them
Int: TypeAlias = "int | np.signedinteger[Any]"
