"""Head-neck coordinates: a sphere that runs into a tube, as one height field.

Rows start at the pole opposite the neck, run over the head towards the neck, and on along the neck axis; columns are
azimuths round that axis. Every ray meets the femur's surface once, which makes the surface a height field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Grid
from toh_mri.kernels.height_field import inside_share
from toh_mri.segmentation.cortex import cortex_mm
from toh_mri.segmentation.rays import perpendicular

_CONE_DEGREE = 48.0  # inclination to the axis at which head rows end and tube rows begin
ROW_STEP_DEGREE = 4.0
_TUBE_START = 0.72  # in head radii along the axis
_TUBE_END = 2.0
_TUBE_STEP_MM = 1.2
_AZIMUTHS = 72

# Prior half-widths of the neck in head radii: neck to head radius ratio .63-.66 (Jamali 2011), flatter front to back;
# it flares above towards the greater and below towards the lesser trochanter, not front to back. Where the flare
# starts differs between people; the slopes are the author's estimate from necks of the development cohort.
_NECK_HALF_WIDTH = 0.65
_NECK_HALF_DEPTH = 0.57
_FLARE_START = 1.25
_FLARE_SLOPE_UP = 0.8
_FLARE_SLOPE_DOWN = 0.4

# Beyond the tube no wall is traced, but a core along the axis is still bone: the axis meets the shaft's axis about
# 43 mm (SD 7) lateral of the head's centre (femoral offset, Carmona, CT): 2.5 radii along a neck of 126 degrees.
_CORE_END = 2.5
_CORE_RADIUS = 0.5


@dataclass(frozen=True, eq=False)
class Lollipop:
    """Rays of head-neck coordinates.

    Attributes
    ----------
    centre : ndarray of float64, shape (3,)
        Head centre, LPS mm.
    radius_mm : float
    axis, up, front : ndarray of float64, shape (3,)
        Unit vectors: down the neck, up and front at right angles to it.
    origins, directions : ndarray of float64, shape (rows, azimuths, 3)
    prior_mm : ndarray of float64, shape (rows, azimuths)
        Expected distance of the surface from the origin of its ray.
    cortex_mm : ndarray of float64, shape (rows, azimuths)
        Usual thickness of the bone's cortex there.
    head_rows : int
        Number of rows that belong to the sphere.
    """

    centre: NDArray[np.float64]
    radius_mm: float
    axis: NDArray[np.float64]
    up: NDArray[np.float64]
    front: NDArray[np.float64]
    origins: NDArray[np.float64]
    directions: NDArray[np.float64]
    prior_mm: NDArray[np.float64]
    cortex_mm: NDArray[np.float64]
    head_rows: int

    @classmethod
    def around(cls, centre: NDArray[np.float64], radius_mm: float, axis: NDArray[np.float64]) -> Lollipop:
        """Lay rays round a head of known centre, radius and neck axis."""
        up, front = perpendicular(axis)
        azimuth = np.arange(_AZIMUTHS) * 2 * np.pi / _AZIMUTHS
        round_axis = np.cos(azimuth)[:, None] * up + np.sin(azimuth)[:, None] * front
        theta = np.radians(np.arange(180.0, _CONE_DEGREE - 1e-6, -ROW_STEP_DEGREE))
        head = np.cos(theta)[:, None, None] * axis + np.sin(theta)[:, None, None] * round_axis
        along = np.arange(_TUBE_START * radius_mm, _TUBE_END * radius_mm, _TUBE_STEP_MM)
        tube = np.broadcast_to(round_axis, (len(along), *round_axis.shape))
        origins = np.concatenate(
            [
                np.broadcast_to(centre, head.shape),
                np.broadcast_to(centre + along[:, None, None] * axis, tube.shape),
            ]
        )
        prior = np.concatenate(
            [
                np.full(head.shape[:2], radius_mm),
                radius_mm * _neck_half_width(along / radius_mm, azimuth),
            ]
        )
        directions = np.concatenate([head, tube])
        reached = (origins + prior[..., None] * directions - centre) @ axis / radius_mm
        cortex = cortex_mm(reached, directions, up, front)
        return cls(centre, radius_mm, axis, up, front, origins, directions, prior, cortex, len(theta))

    def surface(self, distance_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return LPS points, shape (rows, azimuths, 3), at the given distances along the rays."""
        return np.asarray(self.origins + distance_mm[..., None] * self.directions)

    def inside_share(self, distance_mm: NDArray[np.float64], grid: Grid, sub_slices: int) -> NDArray[np.float32]:
        """Return the share of each voxel's thickness, 0..1, inside a height field or the trochanteric core beyond it.

        Parameters
        ----------
        distance_mm : ndarray of float64, shape (rows, azimuths)
        grid : Grid
        sub_slices : int
            Places across a slice's thickness at which a voxel is tested.
        """
        basis = np.stack([self.axis, self.up, self.front])
        to_frame = np.ascontiguousarray(basis @ grid.affine[:3])
        to_frame[:, 3] = basis @ (grid.affine[:3, 3] - self.centre)
        core = ((_TUBE_END - 0.1) * self.radius_mm, _CORE_END * self.radius_mm, _CORE_RADIUS * self.radius_mm)
        return inside_share(
            to_frame,
            grid.shape,
            sub_slices,
            np.ascontiguousarray(distance_mm, dtype=np.float64),
            self.head_rows,
            ROW_STEP_DEGREE,
            _CONE_DEGREE,
            _TUBE_START * self.radius_mm,
            _TUBE_STEP_MM,
            core,
        )


def _neck_half_width(along: NDArray[np.float64], azimuth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected half-width of the neck in head radii, shape (along, azimuths)."""
    slope = np.where(np.cos(azimuth) > 0, _FLARE_SLOPE_UP, _FLARE_SLOPE_DOWN)
    half_width = _NECK_HALF_WIDTH + slope * np.maximum(along - _FLARE_START, 0)[:, None]
    half_depth = np.full_like(half_width, _NECK_HALF_DEPTH)
    ellipse = 1.0 / np.sqrt((np.cos(azimuth) / half_width) ** 2 + (np.sin(azimuth) / half_depth) ** 2)
    head_chord = np.sqrt(np.maximum(1 - along**2, 0))[:, None]
    return np.asarray(np.maximum(ellipse, head_chord))
