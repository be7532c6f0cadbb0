"""The direction in which the neck leaves the head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Side, Sphere
from toh_mri.kernels.surface import edge_evidence
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.rays import perpendicular

_CONE_DEGREE = 30.0
_STEP_DEGREE = 5.0
_PRIOR_DEGREE = 16.0
_PRIOR_COST = 0.05
_ALONG = np.arange(0.95, 1.61, 0.09)  # cross-sections looked at, in head radii
_AZIMUTHS = 24
_RADIAL_STEP_MM = 0.75
_RADII = (0.45, 1.05)  # of the neck, in head radii
_EXPECTED_RADIUS = (0.68, 0.15)
_RADIUS_COST = 0.15
_CONTRAST_CAP = 1.2


def find_neck_axis(evidence: tuple[Evidence, ...], head: Sphere, side: Side) -> NDArray[np.float64]:
    """Return the unit vector, LPS, along which a tube of a neck's width fits best.

    For every direction near the mean one, signal is averaged along the tube's wall before edges are taken; each
    azimuth contributes its best wall, the more the closer to a neck's usual half-width.

    Parameters
    ----------
    evidence : tuple of Evidence
        All on one grid.
    head : Sphere
    side : Side
    """
    axes = _directions(side.usual_neck_axis)
    angle = np.degrees(np.arccos(np.clip(axes @ side.usual_neck_axis, -1, 1)))
    score = np.mean([_wall_score(item, head, axes) for item in evidence], axis=0)
    score -= _PRIOR_COST * (angle / _PRIOR_DEGREE) ** 2
    best = axes[score >= score.max() - 0.02]  # neighbours of the best direction share its evidence
    mean = best.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def _directions(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    up, front = perpendicular(mean)
    steps = np.arange(-_CONE_DEGREE, _CONE_DEGREE + 1e-6, _STEP_DEGREE)
    a, b = np.meshgrid(steps, steps, indexing="ij")
    inside = np.hypot(a, b) <= _CONE_DEGREE + 1e-6
    tilt = np.tan(np.radians(a[inside]))[:, None] * up + np.tan(np.radians(b[inside]))[:, None] * front
    vectors = mean + tilt
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1)[:, None])


def _wall_score(item: Evidence, head: Sphere, axes: NDArray[np.float64]) -> NDArray[np.float64]:
    radius = head.radius_mm
    radii = np.arange(_RADII[0] * radius, _RADII[1] * radius, _RADIAL_STEP_MM)
    samples = np.concatenate([radii - _RADIAL_STEP_MM, [radii[-1], radii[-1] + _RADIAL_STEP_MM]])
    cost = _RADIUS_COST * ((radii / radius - _EXPECTED_RADIUS[0]) / _EXPECTED_RADIUS[1]) ** 2
    azimuth = np.arange(_AZIMUTHS) * 2 * np.pi / _AZIMUTHS
    scores = np.empty(len(axes))
    for n, axis in enumerate(axes):
        up, front = perpendicular(axis)
        round_axis = np.cos(azimuth)[:, None] * up + np.sin(azimuth)[:, None] * front
        stations = np.asarray(head.center) + radius * _ALONG[:, None] * axis
        start = np.full((_AZIMUTHS, len(_ALONG)), samples[0])
        wall = item.profiles(stations, round_axis[:, None, :], start, _RADIAL_STEP_MM, len(samples))
        halves = np.stack([h.mean(axis=1) for h in np.array_split(wall, 2, axis=1)])
        found = edge_evidence(
            halves.astype(np.float32),
            np.zeros(halves.shape[:2], np.float32),
            len(radii),
            0,
            1,
            1,
            _CONTRAST_CAP,
            not item.fat_is_bright,
        )
        scores[n] = (found - cost).max(axis=2).mean()
    return scores
