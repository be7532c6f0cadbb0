"""Bringing the series of one hip together around its head, where a leg has moved between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from toh_mri.core.hip import HipImages, HipSeries
from toh_mri.geometry import Image, Sphere

_WINDOW_RADII = 1.6  # the head, the joint and the roof above it
_SAMPLE_STEP_MM = 2.0
_SMOOTH_MM = 1.0
_BINS = 32
_BIN_BLUR = 1.0
_LARGEST_SHIFT_MM = 8.0
_LARGEST_ROTATION_DEGREE = 6.0
_TOLERANCE = 0.05  # mm, and 1/20 of what turns the window's edge by 1 mm
_INFORMATION_TOLERANCE = 1e-4
_LEAST_SAMPLES = 500
_RIM_RADII = (0.8, 1.25)
_TRACED_TOGETHER_COSINE = 0.9


def align_hip(images: HipImages, head: Sphere) -> HipImages:
    """Register the series that are traced with the reference to it, in a ball round the head: shift, then rotation.

    Mutual information is maximised, since fat suppression and edema change contrast. A result is taken only if it also
    raises the agreement of edges near the head's rim and stays within 8 mm and 6 degrees; else the series stays where
    it was. Fat in a T1-weighted picture is displaced along the readout (chemical shift) as well; the rim follows it.

    Parameters
    ----------
    images : HipImages
    head : Sphere
        Roughly the head, LPS mm of the reference series.

    Returns
    -------
    HipImages
        The same object where nothing was moved; else with new `to_reference` and alignment notes. No sample changes.
    """
    reference = images.reference_series
    if reference.image.grid.shape[0] == 1:
        return images
    aligned = tuple(
        _align(series, reference, head) if _traced_together(series, reference) else series for series in images.series
    )
    unchanged = all(a is b for a, b in zip(aligned, images.series, strict=True))
    return images if unchanged else replace(images, series=aligned)


def _traced_together(series: HipSeries, reference: HipSeries) -> bool:
    role = series.info.role
    if series is reference or role is None or series.image.grid.shape[0] == 1:
        return False
    normal = series.image_in_reference.grid.directions[:, 0]
    parallel = abs(normal @ reference.image.grid.directions[:, 0]) > _TRACED_TOGETHER_COSINE
    return bool(parallel) and (role.contrast.is_t1_like or role.contrast.is_fluid_sensitive)


def _align(series: HipSeries, reference: HipSeries, head: Sphere) -> HipSeries:
    window = _Window(reference.image, series.image_in_reference, head)
    if len(window.points) < _LEAST_SAMPLES:
        return series
    still = np.zeros(6)
    before = window.information(still)
    shift = _climb(window, still, 3)
    found = _climb(window, shift, 6)
    after = window.information(found)
    rotation = float(np.degrees(np.linalg.norm(found[3:]) / window.radius_mm))
    length = float(np.linalg.norm(found[:3]))
    plausible = length <= _LARGEST_SHIFT_MM and rotation <= _LARGEST_ROTATION_DEGREE
    if not plausible or after <= before or window.rim_agreement(found) <= window.rim_agreement(still):
        return series
    note = series.alignment.model_copy(
        update={
            "method": f"{series.alignment.method}; then in the head's window, mutual information",
            "applied": True,
            "shift_mm": length,
            "rotation_degree": rotation,
            "similarity_before": before,
            "similarity_after": after,
            "reason": "series disagreed about the head; registered around it",
        }
    )
    return replace(series, to_reference=window.rigid(found) @ series.to_reference, alignment=note)


def _climb(window: _Window, start: NDArray[np.float64], free: int) -> NDArray[np.float64]:
    """Return the best of the first `free` parameters (shift in mm; rotation as mm at the window's edge)."""
    turn = np.radians(_LARGEST_ROTATION_DEGREE) * window.radius_mm
    bounds = ([(-_LARGEST_SHIFT_MM, _LARGEST_SHIFT_MM)] * 3 + [(-turn, turn)] * 3)[:free]

    def loss(values: NDArray[np.float64]) -> float:
        return -window.information(np.concatenate([values, start[free:]]))

    found = minimize(
        loss,
        start[:free],
        method="Powell",
        bounds=bounds,
        options={"xtol": _TOLERANCE, "ftol": _INFORMATION_TOLERANCE},
    )
    return np.concatenate([np.asarray(found.x, dtype=np.float64), start[free:]])


class _Window:
    """Samples of the reference in a ball round the head, and what another series shows there when it is moved."""

    def __init__(self, fixed: Image, moving: Image, head: Sphere) -> None:
        self.centre = np.asarray(head.center)
        self.radius_mm = _WINDOW_RADII * head.radius_mm
        pace = [1, *(max(1, round(_SAMPLE_STEP_MM / s)) for s in fixed.grid.nominal_spacing_mm[1:])]
        step = tuple(slice(None, None, n) for n in pace)
        points = fixed.grid.voxel_centres()[step]
        distance = np.linalg.norm(points - self.centre, axis=-1)
        inside = distance <= self.radius_mm
        self.points = points[inside]
        low, high = (share * head.radius_mm for share in _RIM_RADII)
        self._rim = (distance[inside] > low) & (distance[inside] < high)
        self._moving, self._moving_edges = _smooth(moving), _edges(moving)
        self._grid = moving.grid
        self._signal, self._fixed_edges = _smooth(fixed)[step][inside], _edges(fixed)[step][inside]
        self._bins = np.rint(_scaled(self._signal)).astype(np.intp)

    def rigid(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the transform, shape (4, 4), that moves the series: a turn about the head's centre, then a shift."""
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.from_rotvec(parameters[3:] / self.radius_mm).as_matrix()
        matrix[:3, 3] = self.centre + parameters[:3] - matrix[:3, :3] @ self.centre
        return matrix

    def information(self, parameters: NDArray[np.float64]) -> float:
        """Return the mutual information of both pictures in the ball, in nats."""
        values, seen = self._sample(self._moving, parameters)
        if seen.sum() < _LEAST_SAMPLES:
            return 0.0
        place = _scaled(values[seen])
        low = np.minimum(place.astype(np.intp), _BINS - 2)
        share, row = place - low, self._bins[seen] * _BINS
        counts = np.bincount(row + low, 1 - share, _BINS**2) + np.bincount(row + low + 1, share, _BINS**2)
        blurred = ndimage.gaussian_filter(counts.reshape(_BINS, _BINS).astype(np.float64), _BIN_BLUR)
        joint = np.asarray(blurred / blurred.sum(), dtype=np.float64)
        apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        there = joint > 1e-12
        return float((joint[there] * np.log(joint[there] / apart[there])).sum())

    def rim_agreement(self, parameters: NDArray[np.float64]) -> float:
        """Return the correlation, -1..1, of edge strength near the head's rim."""
        values, seen = self._sample(self._moving_edges, parameters)
        both = seen & self._rim
        if both.sum() < _LEAST_SAMPLES / 5 or values[both].std() == 0 or self._fixed_edges[both].std() == 0:
            return -1.0
        return float(np.corrcoef(values[both], self._fixed_edges[both])[0, 1])

    def _sample(
        self, array: NDArray[np.float32], parameters: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        back = np.linalg.inv(self.rigid(parameters))
        index = self._grid.to_index(self.points @ back[:3, :3].T + back[:3, 3])
        seen = np.asarray(((index >= -0.5) & (index <= np.array(self._grid.shape) - 0.5)).all(axis=1))
        return ndimage.map_coordinates(array, index.T, order=1, mode="nearest"), seen


def _smooth(image: Image) -> NDArray[np.float32]:
    sigma = [0.0, *(_SMOOTH_MM / s for s in image.grid.spacing_mm[1:])]
    return np.asarray(ndimage.gaussian_filter(np.asarray(image.array, dtype=np.float32), sigma))


def _edges(image: Image) -> NDArray[np.float32]:
    """Return edge strength in the slices' plane, whatever its sign: contrast differs between series."""
    smooth = _smooth(image)
    rows, columns = (np.gradient(smooth, image.grid.spacing_mm[axis], axis=axis) for axis in (1, 2))
    return np.asarray(np.hypot(rows, columns), dtype=np.float32)


def _scaled(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return signal in bins, 0 to the last one, the outer percent clipped."""
    low, high = np.percentile(values, [1, 99])
    return np.asarray(np.clip((values - low) / max(high - low, 1e-9), 0, 1) * (_BINS - 1), dtype=np.float64)
