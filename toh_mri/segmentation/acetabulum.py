"""The acetabulum: the joint's far wall as seen from the femoral head, and the hip bone behind it.

Along the head's own rays the far wall is traced a joint's width beyond the head's surface, and behind it the place
where a ray leaves the hip bone. Both are height fields of least cost. Where they are not seen the acetabulum is absent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.geometry import Grid, Side
from toh_mri.kernels.surface import height_field
from toh_mri.segmentation.cortex import PLATE_MM
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.lollipop import ROW_STEP_DEGREE
from toh_mri.segmentation.rays import SUPEROMEDIAL
from toh_mri.segmentation.surface import FemoralSurface

# The acetabulum covers about 70 % of the head's articular surface (alpfmedical). A cap of 72 degrees is 35 % of the
# whole sphere: the part that surely faces bone; the author's estimate (65 and 80 degrees are worse on one cohort each).
_CONE_DEGREE = 72.0
_SUPPORTED = 0.3
_LEAST_SUPPORT = 0.5  # share of rays that see the wall

# Joint space from cortex to cortex: 4.2 mm (SD 0.9) on radiographs (Lequesne 2004, ARD 63:1145), less medially.
_JOINT_MM = (1.0, 8.0)
_JOINT_EXPECTED_MM, _JOINT_DEVIATION_MM = 3.7, 1.5
_PRIOR_COST = 0.35
_STIFFNESS = 0.15
_LARGEST_STEP = 2
_STEP_MM = 0.5
_CONTRAST_CAP = 1.2

# Behind the wall: no table within 3 mm; two head radii from the centre the acetabulum ends by definition.
_BONE_FROM_MM = 3.0
_END_RADII = 2.0
_TABLE_STIFFNESS = 0.02
_TABLE_LARGEST_STEP = 4
_NO_TABLE_REWARD = 0.25


@dataclass(frozen=True, eq=False)
class Acetabulum:
    """What the rays of the head meet beyond the joint.

    Attributes
    ----------
    wall_mm, table_mm : ndarray of float64, shape (rows, azimuths)
        Distance from the head's centre of the far wall's face and of the place where the ray leaves the bone.
    facing : ndarray of bool, shape (rows, azimuths)
        Rays that face the acetabulum.
    """

    wall_mm: NDArray[np.float64]
    table_mm: NDArray[np.float64]
    facing: NDArray[np.bool_]


def trace_acetabulum(
    evidence: tuple[Evidence, ...], surface: FemoralSurface, side: Side
) -> tuple[Acetabulum | None, str | None]:
    """Trace the joint's far wall and the bone behind it.

    Returns
    -------
    Acetabulum or None
    str or None
        ``joint_wall_unsupported`` where the wall was not seen.
    """
    frame = surface.frame
    rows = frame.head_rows
    directions, head = frame.directions[:rows], surface.bone_mm[:rows]
    facing = directions @ side.mirrored(SUPEROMEDIAL) > np.cos(np.radians(_CONE_DEGREE))
    gaps = np.arange(_JOINT_MM[0], _JOINT_MM[1] + 1e-6, _STEP_MM)
    reward = np.mean([_wall_reward(item, surface, len(gaps)) for item in evidence], axis=0)
    cost = -reward * facing[..., None] + _PRIOR_COST * 0.5 * ((gaps - _JOINT_EXPECTED_MM) / _JOINT_DEVIATION_MM) ** 2
    heights = height_field(cost.astype(np.float32), _STIFFNESS, _LARGEST_STEP)
    index = np.clip(np.rint(heights).astype(int), 0, len(gaps) - 1)
    support = np.take_along_axis(reward, index[..., None], axis=2)[..., 0]
    if (support[facing] > _SUPPORTED).mean() < _LEAST_SUPPORT:
        return None, "joint_wall_unsupported"
    wall = head + _JOINT_MM[0] + heights * _STEP_MM
    return Acetabulum(wall, _table(evidence, surface, wall), facing), None


def _wall_reward(item: Evidence, surface: FemoralSurface, count: int) -> NDArray[np.float32]:
    """Return how well each gap agrees with the wall: joint bright against plate, or marrow bright behind the plate."""
    rows = surface.frame.head_rows
    behind = round(PLATE_MM / _STEP_MM)
    start = surface.bone_mm[:rows] + _JOINT_MM[0] - 1.5 * _STEP_MM
    edges = _edges(item, surface, start, _STEP_MM, count + behind + 3)
    marrow = np.maximum(edges[..., behind:], 0)
    if item.fat_is_bright:
        return np.asarray(marrow)
    return np.asarray(np.maximum(np.maximum(-edges[..., :count], 0), marrow))


def _table(
    evidence: tuple[Evidence, ...], surface: FemoralSurface, wall_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where each ray leaves the hip bone: at its outer face, at the latest two head radii from the centre."""
    end = _END_RADII * surface.head.radius_mm
    steps = round(end - float(wall_mm.min()) - _BONE_FROM_MM)
    start = wall_mm + _BONE_FROM_MM
    reward = np.zeros((*wall_mm.shape, steps), np.float32)
    for item in evidence:
        # Steps of 1 mm: an edge over 3 mm, the whole cortex.
        edges = _edges(item, surface, start - 1.5, 1.0, steps + 3)
        reward += np.maximum(-edges, 0) if item.fat_is_bright else np.maximum(edges, 0)
    reward /= len(evidence)
    beyond = start[..., None] + np.arange(steps) >= end
    reward[beyond] = _NO_TABLE_REWARD
    heights = height_field(-reward, _TABLE_STIFFNESS, _TABLE_LARGEST_STEP)
    return np.minimum(start + heights + PLATE_MM, end)


def _edges(
    item: Evidence, surface: FemoralSurface, start_mm: NDArray[np.float64], step_mm: float, count: int
) -> NDArray[np.float32]:
    """Return edges over three steps along the head's rays, -1..1, the first one and a half steps from the start."""
    frame, rows = surface.frame, surface.frame.head_rows
    profiles = item.profiles(frame.origins[:rows], frame.directions[:rows], start_mm, step_mm, count)
    profiles = ndimage.gaussian_filter1d(profiles, 1.0, axis=1, mode="wrap")
    edges = np.clip((profiles[..., 3:] - profiles[..., :-3]) / _CONTRAST_CAP, -1, 1)
    return np.asarray(np.nan_to_num(edges, nan=0.0), dtype=np.float32)


def acetabular_surface(found: Acetabulum, surface: FemoralSurface) -> NDArray[np.float64]:
    """Return the far wall's face, LPS mm, shape (rows, azimuths, 3); NaN on rays that do not face it."""
    rows = surface.frame.head_rows
    points = surface.frame.origins[:rows] + found.wall_mm[..., None] * surface.frame.directions[:rows]
    return np.where(found.facing[..., None], points, np.nan)


def inside_acetabulum(found: Acetabulum, surface: FemoralSurface, grid: Grid) -> NDArray[np.bool_]:
    """Tell which voxels of a grid lie in the hip bone, shape `grid.shape`."""
    frame = surface.frame
    inside = np.zeros(grid.shape, bool)
    start, stop = grid.box_around(surface.head.center, _END_RADII * surface.head.radius_mm)
    place = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    relative = grid.crop(start, stop).voxel_centres() - frame.centre
    along, up, front = (relative @ v for v in (frame.axis, frame.up, frame.front))
    across = np.hypot(up, front)
    row = (180.0 - np.degrees(np.arctan2(across, along))) / ROW_STEP_DEGREE
    column = np.degrees(np.arctan2(front, up)) % 360.0 * (found.wall_mm.shape[1] / 360.0)
    distance = np.hypot(along, across)

    def at(values: NDArray[np.float64]) -> NDArray[np.float64]:
        wrapped = np.concatenate([values, values[:, :1]], axis=1)
        return np.asarray(ndimage.map_coordinates(wrapped, [row, column], order=1, mode="nearest"))

    near = (row <= frame.head_rows - 1) & (at(found.facing.astype(np.float64)) > 0.5)
    inside[place] = near & (distance >= at(found.wall_mm)) & (distance <= at(found.table_mm))
    return inside
