"""The neck in a single slice: both walls by open paths of least cost, and where head and neck end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Plane, Side, Sphere
from toh_mri.kernels.paths import open_path
from toh_mri.kernels.surface import edge_evidence
from toh_mri.segmentation.cortex import cortex_mm
from toh_mri.segmentation.evidence import Evidence

# Angles, widths and flare: found on real coronal slices (shared/knowledge/segmentation.md, 2.5).
_ANGLES_DEGREE = np.arange(15.0, 71.0, 5.0)  # of the axis below horizontal
_USUAL_ANGLE_DEGREE, _ANGLE_DEVIATION_DEGREE, _ANGLE_COST = 45.0, 14.0, 0.09
_FROM, _TO = 0.75, 2.0  # in head radii along the axis
_HALF_WIDTH, _WIDEST = 0.72, 1.45  # in head radii
_UPPER_FLARE, _LOWER_FLARE = (1.35, 0.9), (1.5, 0.3)  # from, and rise a radius
_DEVIATION_MM = 4.0
_PRIOR_COST = 0.175
_ALONG_MM, _ACROSS_MM = 1.2, 0.4
_STIFFNESS, _LARGEST_STEP = 0.15, 3
_EDGE_HALF_WIDTH = 2
_GAP = (6, 17)
_CONTRAST_CAP = 1.2
_MOST_LEVEL = 0.7  # cosine to the front-back axis from which a slice counts as coronal

_LEAVES_MM = 1.0
_JUNCTION = (0.70, 0.95)  # in head radii
# As in volumes: 1.52 radii along the axis, tilted up by 10 degrees (Toogood 2009, PMC2650061).
_NECK_LENGTH, _TILT_UP_DEGREE = 1.52, 10.0


@dataclass(frozen=True, eq=False)
class NeckWalls:
    """Both walls of the neck in a coronal slice.

    Attributes
    ----------
    axis, up : ndarray of float64, shape (3,)
        Unit vectors in the slice: down the neck, and at right angles to it upwards.
    upper, lower : ndarray of float64, shape (n, 3)
        Outer faces, LPS mm, from the head to the trochanters.
    upper_marrow, lower_marrow : ndarray of float64, shape (n, 3)
        The same, one cortex further in.
    upper_support, lower_support : float
        Mean evidence, 0..1, met between head and trochanter.
    head_neck, intertrochanteric : Plane
        At right angles to the slice; normals down the neck.
    """

    axis: NDArray[np.float64]
    up: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper_marrow: NDArray[np.float64]
    lower_marrow: NDArray[np.float64]
    upper_support: float
    lower_support: float
    head_neck: Plane
    intertrochanteric: Plane

    @property
    def support(self) -> float:
        """Mean evidence of both walls."""
        return (self.upper_support + self.lower_support) / 2


@dataclass(frozen=True, eq=False)
class _Wall:
    distance_mm: NDArray[np.float64]
    cortex_mm: NDArray[np.float64]
    support: float
    cost: float


def is_coronal(normal: NDArray[np.float64]) -> bool:
    """Tell whether a slice with this normal, shape (3,), shows the neck along its length."""
    return bool(abs(normal[1]) >= _MOST_LEVEL)


def trace_neck(evidence: tuple[Evidence, ...], head: Sphere, side: Side) -> NeckWalls:
    """Trace the neck's walls in a coronal slice, beginning at the head's outer face."""
    normal = evidence[0].image.grid.directions[:, 0]
    lateral = _in_slice(np.array([float(side.lateral_x), 0.0, 0.0]), normal)
    cranial = np.cross(normal, lateral)
    cranial *= np.sign(cranial[2])
    traced = [_at_angle(evidence, head, lateral, cranial, degree) for degree in _ANGLES_DEGREE]
    _, axis, up, upper, lower = min(traced, key=lambda item: item[0])
    return _walls(head, axis, up, upper, lower)


def _at_angle(
    evidence: tuple[Evidence, ...],
    head: Sphere,
    lateral: NDArray[np.float64],
    cranial: NDArray[np.float64],
    degree: float,
) -> tuple[float, NDArray[np.float64], NDArray[np.float64], _Wall, _Wall]:
    """Trace both walls along one axis; return what they cost, the axis, upwards, and the walls."""
    angle = np.radians(degree)
    axis = np.cos(angle) * lateral - np.sin(angle) * cranial
    up = np.sin(angle) * lateral + np.cos(angle) * cranial
    upper = _wall(evidence, head, axis, up, up, _UPPER_FLARE)
    lower = _wall(evidence, head, axis, -up, up, _LOWER_FLARE)
    unusual = _ANGLE_COST * ((degree - _USUAL_ANGLE_DEGREE) / _ANGLE_DEVIATION_DEGREE) ** 2
    return (upper.cost + lower.cost) / 2 + float(unusual), axis, up, upper, lower


def _walls(head: Sphere, axis: NDArray[np.float64], up: NDArray[np.float64], upper: _Wall, lower: _Wall) -> NeckWalls:
    along = _along(head)
    base = np.asarray(head.center) + along[:, None] * axis
    junction = np.mean([_leaves_circle(head, along, wall.distance_mm) for wall in (upper, lower)])
    tilted = axis + np.tan(np.radians(_TILT_UP_DEGREE)) * up
    return NeckWalls(
        axis,
        up,
        base + upper.distance_mm[:, None] * up,
        base - lower.distance_mm[:, None] * up,
        base + np.maximum(upper.distance_mm - upper.cortex_mm, 0.0)[:, None] * up,
        base - np.maximum(lower.distance_mm - lower.cortex_mm, 0.0)[:, None] * up,
        upper.support,
        lower.support,
        Plane.through(head.center + junction * axis, axis),
        Plane.through(head.center + _NECK_LENGTH * head.radius_mm * axis, tilted),
    )


def _in_slice(vector: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = vector - (vector @ normal) * normal
    return np.asarray(flat / np.linalg.norm(flat))


def _along(head: Sphere) -> NDArray[np.float64]:
    return np.arange(_FROM * head.radius_mm, _TO * head.radius_mm, _ALONG_MM)


def _expected(head: Sphere, along: NDArray[np.float64], flare: tuple[float, float]) -> NDArray[np.float64]:
    """Return the usual distance of a wall from the axis, mm: the head's chord, the neck, the flare beyond it."""
    chord = np.sqrt(np.maximum(head.radius_mm**2 - along**2, 0.0))
    begins, rise = flare
    neck = _HALF_WIDTH * head.radius_mm + rise * np.maximum(along - begins * head.radius_mm, 0.0)
    return np.minimum(np.maximum(chord, neck), _WIDEST * head.radius_mm)


def _wall(
    evidence: tuple[Evidence, ...],
    head: Sphere,
    axis: NDArray[np.float64],
    outward: NDArray[np.float64],
    up: NDArray[np.float64],
    flare: tuple[float, float],
) -> _Wall:
    along = _along(head)
    expected = _expected(head, along, flare)
    front = np.cross(up, axis)
    front = front if front[1] < 0 else -front
    cortex = cortex_mm(along / head.radius_mm, np.broadcast_to(outward, (len(along), 3)), up, front)
    distance = np.arange(0.3 * head.radius_mm, _WIDEST * head.radius_mm, _ACROSS_MM)
    base = np.asarray(head.center) + along[:, None] * axis
    reward = np.mean([_reward(item, base, outward, cortex, distance) for item in evidence], axis=0)
    cost = _PRIOR_COST * ((distance - expected[:, None]) / _DEVIATION_MM) ** 2 - reward
    path, total = open_path(cost.astype(np.float32), _STIFFNESS, _LARGEST_STEP)
    neck = (along > head.radius_mm * _JUNCTION[0]) & (along < head.radius_mm * _NECK_LENGTH)
    support = float(reward[np.arange(len(along)), path][neck].mean())
    return _Wall(distance[path], cortex, support, float(total) / len(along))


def _reward(
    item: Evidence,
    base: NDArray[np.float64],
    outward: NDArray[np.float64],
    cortex: NDArray[np.float64],
    distance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how well each place agrees with a wall's outer face, shape (along, distances), as the contour does."""
    inner = _edges(item, base, outward, distance[0] - cortex, len(distance), 1.0)
    if item.fat_is_bright:
        return inner
    outer = _edges(item, base, outward, np.full(len(base), distance[0]), len(distance), -1.0)
    return np.maximum(inner, outer)


def _edges(
    item: Evidence,
    base: NDArray[np.float64],
    outward: NDArray[np.float64],
    start: NDArray[np.float64],
    n_places: int,
    sign: float,
) -> NDArray[np.float64]:
    n_samples = n_places + _GAP[1] + 2 * _EDGE_HALF_WIDTH + 1
    first = start - (_EDGE_HALF_WIDTH + 0.5) * _ACROSS_MM
    profiles = sign * item.profiles(base, outward, first, _ACROSS_MM, n_samples)
    share = np.zeros((1, len(base)), np.float32)  # beyond a neck there is no second wall
    return np.asarray(
        edge_evidence(
            profiles[None].astype(np.float32),
            share,
            n_places,
            _EDGE_HALF_WIDTH,
            *_GAP,
            _CONTRAST_CAP,
            either_polarity=False,
        )[0],
        dtype=np.float64,
    )


def _leaves_circle(head: Sphere, along: NDArray[np.float64], distance: NDArray[np.float64]) -> float:
    """Return where a wall leaves the head's circle by more than 1 mm for good, mm along the axis."""
    low, high = _JUNCTION[0] * head.radius_mm, _JUNCTION[1] * head.radius_mm
    away = np.hypot(along, distance) - head.radius_mm > _LEAVES_MM
    gone = np.flatnonzero(away[:-1] & away[1:])
    return float(np.clip(along[gone[0]], low, high)) if len(gone) else high
