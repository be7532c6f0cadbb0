"""How thick the femur's cortex is, from the head's plate to the walls of the neck.

Where marrow is brighter than cortex (always on T1-weighted series, in edema on fat-suppressed ones) the edge that is
seen is the cortex's inner face; where it is darker, it is the outer one. The bone surface of this project is the outer
face, so an edge of the first kind votes for a place one cortex further out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PLATE_MM = 1.1
"""Subchondral plate (0.3-1 mm) with the calcified cartilage, which is as dark."""

# Mid-neck walls of women of about 50 years, between the figures for 25 and 85 years of Poole 2010 (J Bone Miner Res
# 25:482): 1.63 to 0.33 mm above and behind, 3.9 to 3.3 mm below and in front.
_THIN_WALL_MM, _THICK_WALL_MM = 1.1, 3.6
_WALL_FROM, _WALL_FULL = 0.75, 1.25  # in head radii along the axis: where the plate has become the neck's wall
_THICK_TOWARDS = (-0.8, 0.6)  # up, front


def cortex_mm(
    along: NDArray[np.float64], directions: NDArray[np.float64], up: NDArray[np.float64], front: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the usual thickness of the cortex, mm.

    Parameters
    ----------
    along : ndarray of float64, shape (...)
        Places along the neck's axis, in head radii from the head's centre.
    directions : ndarray of float64, shape (..., 3)
        Unit vectors outwards.
    up, front : ndarray of float64, shape (3,)
        Unit vectors at right angles to the axis.
    """
    thick = 0.5 + 0.5 * (directions @ (_THICK_TOWARDS[0] * up + _THICK_TOWARDS[1] * front))
    wall = _THIN_WALL_MM + (_THICK_WALL_MM - _THIN_WALL_MM) * thick
    part = np.clip((along - _WALL_FROM) / (_WALL_FULL - _WALL_FROM), 0, 1)
    return np.asarray(PLATE_MM + (wall - PLATE_MM) * part)
