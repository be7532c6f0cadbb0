"""Angles between axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def angle_degree(a: ArrayLike, b: ArrayLike) -> float:
    """Return the angle between two directions, shape (3,), in degrees: 0 to 180. Lengths do not matter."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(x, y)), x @ y)))
