"""Signal of muscle as a smooth function of place: the yardstick that frees marrow signal of coil shading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.errors import QuantificationError
from toh_mri.core.hip import Anatomy, HipSeries
from toh_mri.geometry import Sphere

_REACH_RADII = 2.5  # how far from the head centre muscle is looked for
_BONE_MARGIN_MM = 4.0  # keeps cartilage, joint fluid and capsule out
_MAXIMUM_SAMPLES = 40_000
_AGREEMENT = 0.35  # log units: what lies this near the fitted muscle signal is taken for muscle
_MINIMUM_SHARE = 0.25  # of the soft tissue round a hip; fat, vessels and bladder are the rest
_SCALES = ((0, (0.5, 0.3)), (1, (0.5, 0.4, 0.3)), (2, (0.3, 0.25, 0.2)))
_STEPS = 4
_RIDGE = 1e-4  # keeps the quadratic terms at zero where no muscle determines them


@dataclass(frozen=True)
class MuscleSignal:
    """Logarithm of muscle signal as a quadratic polynomial of position round the head.

    Attributes
    ----------
    frame : Sphere
        Centre, and length that positions are divided by, in LPS mm.
    coefficients : ndarray of float64, shape (10,)
    points : ndarray of float64, shape (n, 3)
        LPS mm of samples taken for muscle.
    """

    frame: Sphere
    coefficients: NDArray[np.float64]
    points: NDArray[np.float64]

    def at(self, world: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the signal of muscle, were there muscle, at LPS points of shape (..., 3)."""
        terms = _terms(world.reshape(-1, 3), self.frame, 2)
        return np.asarray(np.exp(terms @ self.coefficients).reshape(world.shape[:-1]))


def muscle_of(series: HipSeries, anatomy: Anatomy) -> MuscleSignal:
    """Find the signal of muscle in the fluid-sensitive reference series: the commonest soft tissue round a hip.

    A polynomial follows the mode of the logarithm of the signal outside bone, with Tukey's biweight, from
    constant to quadratic (shading from muscle, never from marrow: diffuse edema must not be corrected away).

    Raises
    ------
    QuantificationError
        ``muscle_reference_not_found`` where too little of the tissue agrees with one smooth signal.
    """
    frame = Sphere(anatomy.head.center, anatomy.head.radius_mm * _REACH_RADII)
    bone = np.asarray(anatomy.labels.array, dtype=np.uint8) > 0
    points, values = _soft_tissue(series, bone, frame)
    return _fit(points, values, frame)


def muscle_at(series: HipSeries, muscle: MuscleSignal) -> MuscleSignal:
    """Find the signal of muscle in another series, at places already known to be muscle.

    Raises
    ------
    QuantificationError
        ``muscle_reference_not_found``.
    """
    values = series.sample_measured(muscle.points).astype(np.float64)
    good = np.isfinite(values) & (values > 0)
    return _fit(muscle.points[good], values[good], muscle.frame)


def _soft_tissue(
    series: HipSeries, bone: NDArray[np.bool_], frame: Sphere
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pick positive samples within `frame` and away from bone; LPS points and values."""
    image = series.image
    distance = ndimage.distance_transform_edt(~bone, sampling=image.grid.nominal_spacing_mm)
    free = (distance > _BONE_MARGIN_MM) & (np.asarray(image.array, dtype=np.float32) > 0)
    free &= series.has_slice[:, None, None]
    index = np.argwhere(free)
    index = index[:: max(1, len(index) // (4 * _MAXIMUM_SAMPLES))]
    points = image.grid.to_world(index)
    near = frame.signed_distance(points) < 0
    index, points = index[near], points[near]
    step = max(1, len(index) // _MAXIMUM_SAMPLES)
    index, points = index[::step], points[::step]
    return points, np.asarray(image.array[tuple(index.T)], dtype=np.float64)


def _terms(points: NDArray[np.float64], frame: Sphere, order: int) -> NDArray[np.float64]:
    """Monomials up to `order` of positions relative to `frame`, shape (n, 1 | 4 | 10)."""
    p = (points - np.asarray(frame.center)) / frame.radius_mm
    columns = [np.ones((len(p), 1))]
    if order >= 1:
        columns.append(p)
    if order >= 2:
        x, y, z = p.T
        columns.append(np.stack([x * x, y * y, z * z, x * y, x * z, y * z], axis=1))
    return np.concatenate(columns, axis=1)


def _fit(points: NDArray[np.float64], values: NDArray[np.float64], frame: Sphere) -> MuscleSignal:
    """Follow the mode of log signal, from constant to quadratic."""
    if len(values) < 100:
        raise _not_found("too few samples outside bone")
    logs = np.log(values)
    counts, edges = np.histogram(logs, bins=80)
    peak = int(np.argmax(ndimage.gaussian_filter1d(counts.astype(np.float64), 2.0)))
    coefficients = np.array([0.5 * (edges[peak] + edges[peak + 1])])
    for order, scales in _SCALES:
        design = _terms(points, frame, order)
        coefficients = np.pad(coefficients, (0, design.shape[1] - len(coefficients)))
        for scale in np.repeat(scales, _STEPS):
            coefficients = _reweighted(design, logs, coefficients, 2.5 * float(scale))
    residual = logs - _terms(points, frame, 2) @ coefficients
    muscle = np.abs(residual) < _AGREEMENT
    if muscle.mean() < _MINIMUM_SHARE:
        raise _not_found(f"only {100 * muscle.mean():.0f} % of the tissue agrees with one smooth signal")
    return MuscleSignal(frame, coefficients, points[muscle])


def _reweighted(
    design: NDArray[np.float64], logs: NDArray[np.float64], coefficients: NDArray[np.float64], cut: float
) -> NDArray[np.float64]:
    """One step of least squares with Tukey's biweight of width `cut`."""
    residual = logs - design @ coefficients
    weighted = design * (np.clip(1.0 - (residual / cut) ** 2, 0.0, None) ** 2)[:, None]
    penalty = np.full(design.shape[1], _RIDGE * len(logs))
    penalty[0] = 1e-9 * len(logs)
    solution = np.linalg.solve(weighted.T @ design + np.diag(penalty), weighted.T @ logs)
    return np.asarray(solution, dtype=np.float64)


def _not_found(why: str) -> QuantificationError:
    return QuantificationError(
        "muscle_reference_not_found",
        f"No smooth muscle signal was found round the hip: {why}.",
        "Check the series' role and the field of view.",
    )
