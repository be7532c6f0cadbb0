"""Where a point lies in the femur: inside or out, how deep, in which part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from toh_mri.core.hip import Anatomy, Label
from toh_mri.geometry import Image

_SURFACE_STEP_MM = 1.0  # nearer points make no better depths (0.05 mm at 2.5 mm), only slower ones
_FEMUR = (Label.FEMORAL_HEAD.code, Label.FEMORAL_NECK.code, Label.PROXIMAL_FEMUR.code)


@dataclass(frozen=True)
class BonePlace:
    """One femur, ready to be asked about points in the reference series' patient space (LPS mm).

    Attributes
    ----------
    anatomy : Anatomy
    inside_mm : Image of float32
        Signed distance of voxel centres to the edge of the femur's label: positive inside. Interpolating it
        interpolates the shape between thick slices (Raya and Udupa 1990, 10.1109/42.52980).
    parts : Image of uint8
        Label code of the nearest voxel of the femur.
    """

    anatomy: Anatomy
    inside_mm: Image
    parts: Image
    _surface: cKDTree

    @classmethod
    def of(cls, anatomy: Anatomy) -> BonePlace:
        """Prepare one femur."""
        labels = np.asarray(anatomy.labels.array, dtype=np.uint8)
        grid = anatomy.labels.grid
        femur = np.isin(labels, _FEMUR)
        spacing = grid.nominal_spacing_mm if anatomy.dimensionality == 3 else (1e6, *grid.nominal_spacing_mm[1:])
        outside, nearest = ndimage.distance_transform_edt(~femur, sampling=spacing, return_indices=True)
        inside = ndimage.distance_transform_edt(femur, sampling=spacing)
        return cls(
            anatomy,
            Image((inside - outside).astype(np.float32), grid),
            Image(labels[tuple(nearest)], grid),
            cKDTree(_refined(anatomy.surface)),
        )

    def signed_depth_mm(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        """Depth by the labels at LPS points, shape (..., 3): positive inside, -inf out of view."""
        return self.inside_mm.sample(points, outside=-np.inf)

    def depth_mm(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance of LPS points, shape (n, 3), to the nearest point of the femur's outer surface."""
        distance, _ = self._surface.query(points)
        return np.asarray(distance, dtype=np.float64)

    def part(self, points: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Label code of the part of the femur nearest to LPS points, shape (..., 3)."""
        limits = np.array(self.parts.grid.shape) - 1
        index = np.clip(self.parts.grid.nearest(points), 0, limits)
        return np.asarray(self.parts.array[tuple(np.moveaxis(index, -1, 0))], dtype=np.uint8)


def _refined(surface: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of a height field, shape (rows, azimuths, 3), interpolated until they lie close together."""
    points = np.concatenate([surface, surface[:, :1]], axis=1)
    for axis in (1, 0):
        if points.shape[axis] > 1:
            gap = np.linalg.norm(np.diff(points, axis=axis), axis=-1)
            points = _between(points, axis, float(np.median(gap)))
    return points.reshape(-1, 3)


def _between(points: NDArray[np.float64], axis: int, gap_mm: float) -> NDArray[np.float64]:
    """Interpolate linearly along an axis so that a gap of `gap_mm` falls to the surface step or below."""
    parts = max(1, int(np.ceil(gap_mm / _SURFACE_STEP_MM)))
    size = points.shape[axis]
    position = np.linspace(0, size - 1, (size - 1) * parts + 1)
    low = np.minimum(position.astype(int), size - 2)
    share = (position - low).reshape([-1 if a == axis else 1 for a in range(points.ndim)])
    return np.asarray(np.take(points, low, axis=axis) * (1 - share) + np.take(points, low + 1, axis=axis) * share)
