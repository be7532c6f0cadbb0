"""Label images of a traced femur on any grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.hip import Label
from toh_mri.geometry import Grid, Image, Plane
from toh_mri.segmentation.surface import FemoralSurface

_SUB_SLICES = 3  # places across a slice's thickness at which a voxel is tested

# Cortex left out of the marrow: subchondral plate up to 1 mm and what partial volume and chemical shift add; the
# neck's wall is thicker. At least one pixel in any case.
_PLATE_MM = 1.5
_NECK_CORTEX_MM = 2.5


def label_image(surface: FemoralSurface, grid: Grid, head_neck: Plane, intertrochanteric: Plane) -> Image:
    """Label head, neck and the traced rest of the femur: voxels that lie inside for most of their thickness."""
    share = _inside_share(surface, surface.bone_mm, grid)
    bone = share > 0.5
    centres = grid.voxel_centres()
    labels = np.zeros(grid.shape, np.uint8)
    labels[bone] = Label.PROXIMAL_FEMUR.code
    labels[bone & (intertrochanteric.signed_distance(centres) < 0)] = Label.FEMORAL_NECK.code
    labels[bone & (head_neck.signed_distance(centres) < 0)] = Label.FEMORAL_HEAD.code
    return Image(labels, grid)


def marrow_image(surface: FemoralSurface, grid: Grid) -> Image:
    """Return the voxels that lie wholly inside the marrow: bone less cortex, one pixel at least."""
    pixel = max(grid.spacing_mm[1:])
    rows = np.arange(surface.bone_mm.shape[0])[:, None]
    cortex = np.where(rows < surface.frame.head_rows, max(_PLATE_MM, pixel), max(_NECK_CORTEX_MM, pixel))
    return Image(_inside_share(surface, surface.bone_mm - cortex, grid) > 1 - 1e-6, grid)


def _inside_share(surface: FemoralSurface, distance_mm: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """Return the share of each voxel's thickness, 0..1, that lies inside a height field or the core beyond it."""
    share = np.zeros(grid.shape)
    start, stop = grid.box_around(surface.head.center, 3.2 * surface.head.radius_mm)
    box = grid.crop(start, stop)
    place = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    index = np.moveaxis(np.indices(box.shape), 0, -1).astype(np.float64)
    for sub in range(_SUB_SLICES):
        shifted = index + np.array([(sub - (_SUB_SLICES - 1) / 2) / _SUB_SLICES, 0.0, 0.0])
        points = box.to_world(shifted).reshape(-1, 3)
        inside = surface.frame.contains(points, distance_mm) | surface.frame.in_core(points)
        share[place] += inside.reshape(box.shape) / _SUB_SLICES
    return share
