"""Analytic hips: bone, joint and muscle by formula, imaged as thick coronal slices of any contrast.

Simple on purpose and built from anatomy, not from what the search looks for: a round head with a dark plate, cartilage,
an acetabulum that covers part of it, an elliptical neck on an oblique axis that ends in trochanter and shaft, muscle
with strands of fat, fat below the skin.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from toh_mri.geometry import Grid, Image, Side

MUSCLE, FAT, FEMUR, ACETABULUM, CORTEX, CARTILAGE, FLUID = range(7)

# Signal of muscle, fat, femoral marrow, acetabular marrow, cortex, cartilage, fluid.
SIGNAL = {
    "T1 normal": (380, 1000, 920, 860, 50, 500, 250),
    "T1 edema": (380, 1000, 430, 860, 50, 500, 250),
    "STIR normal": (300, 80, 120, 120, 40, 550, 1000),
    "STIR edema": (300, 80, 850, 120, 40, 550, 1000),
}
NOISE = 30.0
SUB_SLICES = 3

UP_AND_IN = np.array([-0.60, -0.05, 0.80]) / np.linalg.norm([-0.60, -0.05, 0.80])  # of a left hip
ACETABULAR_DEGREE = 80.0
JOINT_MM, FLUID_MM, PLATE_MM, CORTEX_MM, PELVIS_MM = 3.0, 1.5, 1.2, 2.2, 22.0


@dataclass(frozen=True)
class Hip:
    """A hip of known shape; `axis` is that of a left hip and is mirrored for a right one."""

    side: Side = Side.LEFT
    center: tuple[float, float, float] = (88.0, -10.0, 15.0)
    radius_mm: float = 23.0
    axis: tuple[float, float, float] = (0.72, 0.30, -0.63)

    @property
    def neck_axis(self):
        vector = np.array(self.axis) * [self.side.lateral_x, 1, 1]
        return vector / np.linalg.norm(vector)

    @property
    def mirrored(self):
        x, y, z = self.center
        return Hip(self.side.other, (-x, y, z), self.radius_mm, self.axis)


def coronal_grid(center, size_mm, slice_mm=4.0, pixel_mm=0.7):
    """Return coronal slices, front to back, rows downwards, columns to the left; `size_mm` is x, y, z."""
    x, y, z = size_mm
    shape = np.maximum(1, np.rint([y / slice_mm, z / pixel_mm, x / pixel_mm]).astype(int))
    affine = np.zeros((4, 4))
    affine[1, 0], affine[2, 1], affine[0, 2], affine[3, 3] = slice_mm, -pixel_mm, pixel_mm, 1
    affine[:3, 3] = np.asarray(center) - affine[:3, :3] @ ((shape - 1) / 2)
    return Grid(tuple(shape), affine)


def grid_of(hip):
    """Return a small field of view round one hip, 130 x 72 x 130 mm, the head off its middle."""
    return coronal_grid(np.add(hip.center, [12.0 * hip.side.lateral_x, 1.0, -10.0]), (130, 72, 130))


def picture(hips, grid, contrast, *, seed=0):
    """Return an image of the hips with partial volume across the slice, blur in plane and noise."""
    tissues = _tissues(tuple(hips), grid.shape, grid.affine.tobytes())
    signal = np.array(SIGNAL[contrast], np.float32)[tissues].mean(axis=0)
    signal = ndimage.gaussian_filter(signal, (0, 0.5, 0.5))
    noise = np.random.default_rng(seed).normal(0, NOISE, signal.shape)
    return Image(np.abs(signal + noise).astype(np.float32), grid)


@cache
def _tissues(hips, shape, affine):
    """Return tissues at three depths of every slice, shape (3, slices, rows, columns)."""
    grid = Grid(shape, np.frombuffer(affine).reshape(4, 4))
    index = np.moveaxis(np.indices(shape), 0, -1)
    strands = ndimage.gaussian_filter(np.random.default_rng(99).normal(size=shape), 2.5 / np.array(grid.spacing_mm))
    muscle = np.where(strands > 1.3 * strands.std(), FAT, MUSCLE).astype(np.uint8)
    layers = []
    for sub in range(SUB_SLICES):
        tissue = muscle.copy()
        points = grid.to_world(index + np.array([(sub + 0.5) / SUB_SLICES - 0.5, 0.0, 0.0]))
        for hip in hips:
            _place(tissue, points, hip)
        layers.append(tissue)
    return np.stack(layers)


def _place(tissue, points, hip):
    p = (points - hip.center) * [hip.side.lateral_x, 1, 1]  # as a left hip
    tissue[p[..., 0] > 48] = FAT
    r = np.linalg.norm(p, axis=-1)
    beyond = r - hip.radius_mm
    covered = p @ UP_AND_IN > np.cos(np.radians(ACETABULAR_DEGREE)) * np.maximum(r, 1e-6)
    bone = covered & (beyond > JOINT_MM) & (beyond < PELVIS_MM)
    tissue[bone] = CORTEX
    tissue[bone & (beyond > JOINT_MM + PLATE_MM) & (beyond < PELVIS_MM - CORTEX_MM)] = ACETABULUM
    tissue[covered & (beyond <= JOINT_MM)] = CARTILAGE
    tissue[~covered & (beyond <= FLUID_MM)] = FLUID
    depth = -femur_distance(p, hip.radius_mm, np.array(hip.axis) / np.linalg.norm(hip.axis))
    tissue[depth >= 0] = CORTEX
    tissue[depth >= np.where(beyond <= 0, PLATE_MM, CORTEX_MM)] = FEMUR


def femur_distance(p, radius, axis):
    """Return roughly the signed distance to a left femur, head centre at the origin: head, neck, trochanter, shaft."""
    along = p @ axis
    up = np.array([0, 0, 1.0]) - axis[2] * axis
    up /= np.linalg.norm(up)
    front = np.cross(axis, up)
    across = np.hypot(p @ up / 0.68, p @ front / 0.58) - radius
    neck = np.maximum(0.58 * across, np.maximum(-along, along - 2 * radius))
    base = 1.95 * radius * axis
    trochanter = np.linalg.norm(p - base - [4, 2, 6], axis=-1) - 18
    below = p - base
    length = np.clip(-below[..., 2], 0, None)[..., None] * [0.08, 0, -1]
    shaft = np.linalg.norm(below - length, axis=-1) - 15
    head = np.linalg.norm(p, axis=-1) - radius
    return np.minimum(np.minimum(head, neck), np.minimum(trochanter, shaft))


def head_truth(hip, grid):
    """Return the femur on the head's side of a plane 0.83 radii down the neck, at voxel centres."""
    p = (grid.voxel_centres() - hip.center) * [hip.side.lateral_x, 1, 1]
    axis = np.array(hip.axis) / np.linalg.norm(hip.axis)
    return (femur_distance(p, hip.radius_mm, axis) <= 0) & (p @ axis < 0.83 * hip.radius_mm)
