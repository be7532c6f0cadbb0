"""Label images of a traced femur on any grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.hip import Label
from toh_mri.geometry import Grid, Image, Plane
from toh_mri.segmentation.acetabulum import Acetabulum, inside_acetabulum
from toh_mri.segmentation.surface import FemoralSurface

_SUB_SLICES = 3  # places across a slice's thickness at which a voxel is tested

_BLUR_MM = 0.4  # partial volume and chemical shift at the cortex's inner face, left out of the marrow as well


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
    cortex = np.maximum(surface.frame.cortex_mm + _BLUR_MM, max(grid.spacing_mm[1:]))
    return Image(_inside_share(surface, surface.bone_mm - cortex, grid) > 1 - 1e-3, grid)


def with_acetabulum(labels: Image, surface: FemoralSurface, found: Acetabulum) -> Image:
    """Add the hip bone to the labels, where the femur is not.

    Not to the marrow: a fifth of what is traced is not bone (synthetic hips), and fluid or muscle taken for marrow is
    edema where there is none. Edema of the acetabulum stays absent.
    """
    bone = (np.asarray(labels.array) == 0) & inside_acetabulum(found, surface, labels.grid)
    return labels.with_array(np.where(bone, np.uint8(Label.ACETABULUM.code), labels.array))


def _inside_share(surface: FemoralSurface, distance_mm: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    """Return the share of each voxel's thickness, 0..1, that lies inside a height field or the core beyond it."""
    share = np.zeros(grid.shape, np.float32)
    start, stop = grid.box_around(surface.head.center, 3.2 * surface.head.radius_mm)
    place = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    share[place] = surface.frame.inside_share(distance_mm, grid.crop(start, stop), _SUB_SLICES)
    return share
