"""Head-neck coordinates: a sphere that runs into a tube, as one height field.

Rows start at the pole opposite the neck, run over the head towards the neck, and on along the neck axis; columns are
azimuths round that axis. Every ray meets the femur's surface once, which makes the surface a height field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.segmentation.rays import perpendicular

_CONE_DEGREE = 48.0  # inclination to the axis at which head rows end and tube rows begin
ROW_STEP_DEGREE = 4.0
_TUBE_START = 0.72  # in head radii along the axis
_TUBE_END = 2.0
_TUBE_STEP_MM = 1.2
_AZIMUTHS = 72

# Prior half-widths of the neck in head radii: neck to head radius ratio .63-.66 (Jamali 2011), flatter front to back;
# it flares above towards the greater and below towards the lesser trochanter, not front to back.
_NECK_HALF_WIDTH = 0.68
_NECK_HALF_DEPTH = 0.60
_FLARE_START = 1.35
_FLARE_SLOPE = 0.45

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
        return cls(centre, radius_mm, axis, up, front, origins, np.concatenate([head, tube]), prior, len(theta))

    def surface(self, distance_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return LPS points, shape (rows, azimuths, 3), at the given distances along the rays."""
        return np.asarray(self.origins + distance_mm[..., None] * self.directions)

    def contains(self, points: NDArray[np.float64], distance_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which LPS points, shape (n, 3), lie inside the height field, up to its last row."""
        relative = points - self.centre
        along = relative @ self.axis
        sideways, forward = relative @ self.up, relative @ self.front
        across = np.hypot(sideways, forward)
        distance = np.hypot(across, along)
        column = np.degrees(np.arctan2(forward, sideways)) % 360.0 * (_AZIMUTHS / 360.0)
        inclination = np.degrees(np.arctan2(across, along))
        wrapped = np.concatenate([distance_mm, distance_mm[:, :1]], axis=1)

        def reach(row: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(ndimage.map_coordinates(wrapped, [row, column], order=1, mode="nearest"))

        tube_row = self._tube_row(along)
        # Inside the cone the head goes on as far as its last row, until the tube begins.
        head_row = np.minimum((180.0 - inclination) / ROW_STEP_DEGREE, self.head_rows - 1)
        of_head = (inclination >= _CONE_DEGREE) | (tube_row < self.head_rows)
        in_head = of_head & (distance <= reach(head_row))
        # A point beside the tube's first rows can lie outside the cone; the tube still holds it.
        last = len(distance_mm) - 1
        in_tube = (tube_row >= self.head_rows) & (tube_row <= last)
        tube_reach = reach(np.clip(tube_row, self.head_rows, last))
        return np.asarray(in_head | (in_tube & (across <= tube_reach)))

    def in_core(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which LPS points, shape (n, 3), lie in the trochanteric core, which overlaps the tube's end."""
        relative = points - self.centre
        along = relative @ self.axis / self.radius_mm
        across = np.hypot(relative @ self.up, relative @ self.front) / self.radius_mm
        return np.asarray((along > _TUBE_END - 0.1) & (along <= _CORE_END) & (across <= _CORE_RADIUS))

    def _tube_row(self, along: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((along - _TUBE_START * self.radius_mm) / _TUBE_STEP_MM + self.head_rows)


def _neck_half_width(along: NDArray[np.float64], azimuth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected half-width of the neck in head radii, shape (along, azimuths)."""
    flare = _FLARE_SLOPE * np.maximum(along - _FLARE_START, 0)[:, None]
    half_width = _NECK_HALF_WIDTH + flare
    half_depth = np.full_like(half_width, _NECK_HALF_DEPTH)
    ellipse = 1.0 / np.sqrt((np.cos(azimuth) / half_width) ** 2 + (np.sin(azimuth) / half_depth) ** 2)
    head_chord = np.sqrt(np.maximum(1 - along**2, 0))[:, None]
    return np.asarray(np.maximum(ellipse, head_chord))
