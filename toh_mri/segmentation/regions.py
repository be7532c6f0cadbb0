"""Parts of the femoral head that readers name, as functions of an anatomy and of points.

Points are LPS mm in the reference series' patient space, shape (..., 3). Directions are the patient's own: lateral by
the side of the hip, front is -y, up is +z. A region tells where a point lies as seen from the head's centre; whether
it lies in the head is told by `Anatomy.labels`.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from toh_mri.core.hip import Anatomy

# China-Japan Friendship classification: pillars of 30, 40 and 30 % of the head's width (recalled, no primary source
# seen): borders 0.4 radii to either side of the centre.
_PILLAR_BORDER = 0.4

# A quarter of the head's width: more than half a radius towards the midline.
_MEDIAL_QUARTER_BORDER = 0.5

# Half-opening of the weight-bearing zone about the vertical: the roof reaches as far as its lateral edge, whose
# centre-edge angle is 25-40 degrees (Ashwell 2016, PMC5883176); the same to the other sides is the author's estimate.
_WEIGHT_BEARING_DEGREE = 32.5


class Quadrant(StrEnum):
    """Quarters of the head in the sagittal plane."""

    UPPER_FRONT = "upper_front"
    UPPER_BACK = "upper_back"
    LOWER_FRONT = "lower_front"
    LOWER_BACK = "lower_back"


class Pillar(StrEnum):
    """Parts of the head's width."""

    MEDIAL = "medial"
    CENTRAL = "central"
    LATERAL = "lateral"


def quadrant(anatomy: Anatomy, points: ArrayLike) -> NDArray[np.int64]:
    """Return the place of each point's quadrant in `Quadrant`, shape (...); on a border it is the upper, front one."""
    offset = _from_centre(anatomy, points)
    return np.asarray(2 * (offset[..., 2] < 0) + (offset[..., 1] > 0), dtype=np.int64)


def pillar(anatomy: Anatomy, points: ArrayLike) -> NDArray[np.int64]:
    """Return the place of each point's pillar in `Pillar`, shape (...): 30, 40 and 30 % of the width."""
    lateral = _lateral_radii(anatomy, points)
    return np.asarray(1 + (lateral > _PILLAR_BORDER) - (lateral < -_PILLAR_BORDER).astype(np.int64), dtype=np.int64)


def in_medial_quarter(anatomy: Anatomy, points: ArrayLike) -> NDArray[np.bool_]:
    """Tell which points lie in the quarter of the head's width next to the midline, shape (...)."""
    return np.asarray(_lateral_radii(anatomy, points) < -_MEDIAL_QUARTER_BORDER)


def in_weight_bearing_zone(anatomy: Anatomy, points: ArrayLike) -> NDArray[np.bool_]:
    """Tell which points lie under the roof: within 32.5 degrees of straight up from the head's centre, shape (...)."""
    offset = _from_centre(anatomy, points)
    return np.asarray(offset[..., 2] > np.cos(np.radians(_WEIGHT_BEARING_DEGREE)) * np.linalg.norm(offset, axis=-1))


def depth_below_surface_mm(anatomy: Anatomy, points: ArrayLike) -> NDArray[np.float64]:
    """Return the distance of each point from the head's articular surface, mm, shape (...).

    The articular surface is the femur's outer face on the head's side of the head-neck plane; in a slice it is the
    whole contour.
    """
    place = np.asarray(points, dtype=np.float64)
    distance, _ = cKDTree(_articular_surface(anatomy)).query(place.reshape(-1, 3))
    return np.asarray(distance, dtype=np.float64).reshape(place.shape[:-1])


def shell(anatomy: Anatomy, points: ArrayLike, thickness_mm: float) -> NDArray[np.int64]:
    """Return which shell under the articular surface each point lies in, shape (...): 0 is the outermost.

    Parameters
    ----------
    anatomy : Anatomy
    points : array_like, shape (..., 3)
        Inside the head.
    thickness_mm : float
        Of each shell, above 0.
    """
    return np.asarray(depth_below_surface_mm(anatomy, points) // thickness_mm, dtype=np.int64)


def _articular_surface(anatomy: Anatomy) -> NDArray[np.float64]:
    surface = anatomy.surface.reshape(-1, 3)
    if anatomy.head_neck_plane is None:
        return surface
    return surface[anatomy.head_neck_plane.signed_distance(surface) < 0]


def _from_centre(anatomy: Anatomy, points: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(points, dtype=np.float64) - anatomy.head.center


def _lateral_radii(anatomy: Anatomy, points: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(_from_centre(anatomy, points)[..., 0] * anatomy.side.lateral_x / anatomy.head.radius_mm)
