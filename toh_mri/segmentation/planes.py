"""Where the head ends and the neck begins, and where the neck ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.hip import Check, Status
from toh_mri.geometry import Plane
from toh_mri.segmentation.surface import FemoralSurface

_LEAVES_MM = 1.0  # by this much the surface leaves the sphere at the junction

# The intertrochanteric plane in proportion to the head, from population means: it crosses the neck axis about 35 mm
# from the centre of a head of 23 mm radius, tilted upwards by 11 degrees (the upper wall is the shorter; the author's
# estimate) and forwards by the neck's anteversion of 13 degrees (Toogood 2009, PMC2650061; Carmona; CT of 1070
# femora, PMC4775021), so that it is parallel to the femur's own front-back axis.
_NECK_LENGTH = 1.52
_TILT_UP_DEGREE = 11.0
_ANTEVERSION_DEGREE = 13.0

# The notch above: where the upper wall stands a tenth of a radius higher than at the neck's narrowest place (the
# author's estimate; half of it is within the noise of the wall). The bend below is not used:
# where it shows, it follows the plane in one development cohort (correlation .8) and not in the other (0).
_UPPER_DEGREE = 20.0
_NARROWEST_WITHIN = (0.95, 1.5)
_NOTCH_RISE = 0.10
_NOTCH_WITHIN = (1.15, 1.75)
_SEEN = 0.3  # evidence above which a wall counts as seen


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
    columns = np.arange(along.shape[1])
    first = np.where(away.any(axis=0), away.argmax(axis=0), len(along) - 1)
    here, before = deviation[first, columns], deviation[first - 1, columns]
    # Rows lie more than a millimetre apart: the place between them where the surface leaves.
    part = np.clip((_LEAVES_MM - before) / np.maximum(here - before, 1e-6), 0, 1)
    start = np.maximum(along[first - 1, columns], 0)
    distance = float(np.median(start + part * (along[first, columns] - start)))
    return Plane.through(centre + distance * frame.axis, frame.axis), distance


def intertrochanteric_plane(surface: FemoralSurface) -> tuple[Plane, str | None]:
    """Return the oblique plane at the end of the neck, and why it is placed by proportion where it is.

    The plane goes through the notch above, with the tilt of population means, parallel to the femur's own front-back
    axis. Where the upper wall does not show the notch it lies where it usually does on a head of this size; the
    reason is then ``upper_wall_unsupported`` or ``no_notch``, otherwise None.
    """
    frame = surface.frame
    normal: NDArray[np.float64] = (
        frame.axis
        + np.tan(np.radians(_TILT_UP_DEGREE)) * frame.up
        + np.tan(np.radians(_ANTEVERSION_DEGREE)) * frame.front
    )
    notch, reason = _notch(surface)
    if notch is None:
        notch = np.asarray(surface.head.center) + _NECK_LENGTH * surface.head.radius_mm * frame.axis
    return Plane.through(notch, normal), reason


def _notch(surface: FemoralSurface) -> tuple[NDArray[np.float64] | None, str | None]:
    """Return the place where the upper wall starts to flare, or why there is none."""
    frame, radius = surface.frame, surface.frame.radius_mm
    azimuths = surface.bone_mm.shape[1]
    turn = (np.arange(azimuths) + azimuths // 2) % azimuths - azimuths // 2
    upper = np.abs(turn) * 360.0 / azimuths <= _UPPER_DEGREE
    wall = surface.bone_mm[frame.head_rows :, upper].mean(axis=1) / radius
    seen = surface.support[frame.head_rows :, upper].mean(axis=1)
    along = (frame.origins[frame.head_rows :, 0] - frame.centre) @ frame.axis / radius
    within = np.flatnonzero((along >= _NARROWEST_WITHIN[0]) & (along <= _NARROWEST_WITHIN[1]))
    narrowest = within[np.argmin(wall[within])]
    rise = np.flatnonzero(wall[narrowest:] > wall[narrowest] + _NOTCH_RISE)
    if not rise.size:
        return None, "no_notch"
    place = narrowest + rise[0]
    if seen[narrowest : place + 1].mean() < _SEEN:
        return None, "upper_wall_unsupported"
    if not _NOTCH_WITHIN[0] <= along[place] <= _NOTCH_WITHIN[1]:
        return None, "no_notch"
    return frame.centre + radius * (along[place] * frame.axis + wall[place] * frame.up), None


def fallback_checks(by_proportion: str | None, no_acetabulum: str | None) -> tuple[Check, ...]:
    """Return what was not seen and how it was dealt with, from the reasons of plane and acetabulum."""
    found = (
        ("neck_end_by_proportion", by_proportion, "The neck's end was placed by the usual proportions"),
        ("acetabulum_absent", no_acetabulum, "The acetabulum is left out"),
    )
    return tuple(
        Check(code=code, status=Status.OK, value=None, message=f"{what} ({reason}).")
        for code, reason, what in found
        if reason
    )
