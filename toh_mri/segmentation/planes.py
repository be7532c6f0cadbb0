"""Where the head ends and the neck begins, and where the neck ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Plane
from toh_mri.segmentation.surface import FemoralSurface

_LEAVES_MM = 1.0  # by this much the surface leaves the sphere at the junction

# The intertrochanteric plane in proportion to the head, from population means: it crosses the neck axis about 35 mm
# from the centre of a head of 23 mm radius, tilted upwards by 10 degrees (the upper wall is the shorter) and forwards
# by the neck's anteversion of 13 degrees (Toogood 2009, PMC2650061; Carmona; CT of 1070 femora, PMC4775021), so that
# it is parallel to the femur's own front-back axis.
_NECK_LENGTH = 1.52
_TILT_UP_DEGREE = 10.0
_ANTEVERSION_DEGREE = 13.0


def head_neck_plane(surface: FemoralSurface) -> tuple[Plane, float]:
    """Return the plane normal to the neck axis at the head-neck junction, and its distance from the head centre.

    The distance is the median, over azimuths, of the first place beyond the equator where the bone surface leaves
    the fitted sphere by more than 1 mm.
    """
    frame = surface.frame
    points = frame.surface(surface.bone_mm)
    centre = np.asarray(surface.head.center)
    deviation = np.abs(surface.head.signed_distance(points))
    along = (points - centre) @ frame.axis
    away = (deviation > _LEAVES_MM) & (along > 0)
    away[:-1] &= away[1:]  # one stray ray is not a junction
    first = np.where(away.any(axis=0), away.argmax(axis=0), -1)
    distance = float(np.median(along[first, np.arange(along.shape[1])]))
    return Plane.through(centre + distance * frame.axis, frame.axis), distance


def intertrochanteric_plane(surface: FemoralSurface) -> Plane:
    """Return the oblique plane at the end of the neck, placed by population proportions of this head and axis."""
    frame = surface.frame
    normal: NDArray[np.float64] = (
        frame.axis
        + np.tan(np.radians(_TILT_UP_DEGREE)) * frame.up
        + np.tan(np.radians(_ANTEVERSION_DEGREE)) * frame.front
    )
    point = np.asarray(surface.head.center) + _NECK_LENGTH * surface.head.radius_mm * frame.axis
    return Plane.through(point, normal)
