"""Directions from a femoral head's centre, their sectors, and how far each sector is trusted.

All directions are LPS unit vectors of a left hip; `for_side` mirrors them for a right one. Angles and weights: found
on real slices and volumes; the sectors that look into the acetabulum keep their contrast even in a fully edematous
head, those that look down the neck have no rim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Side

SUPEROMEDIAL = np.array([-0.55, -0.10, 0.83]) / np.linalg.norm([0.55, 0.10, 0.83])
DOWN_THE_NECK = np.array([0.68, 0.20, -0.70]) / np.linalg.norm([0.68, 0.20, 0.70])

_ACETABULAR_CONE_DEGREE = 65.0
_NECK_CONE_DEGREE = 48.0
_NECK_BORDER_DEGREE = 62.0

NECK_TRUST = 0.1
"""Trust in a ray that looks down the neck, where others have 1."""


@dataclass(frozen=True, eq=False)
class Rays:
    """Rays, sector by sector.

    Attributes
    ----------
    directions : ndarray of float64, shape (m, 3)
        LPS unit vectors.
    sector : ndarray of int32, shape (m,)
        Rising.
    weight : ndarray of float32, shape (s,)
        Trust in each sector; sums to 1.
    outer_share : ndarray of float32, shape (s,)
        Share of the second, outer edge in a sector's evidence.
    """

    directions: NDArray[np.float64]
    sector: NDArray[np.int32]
    weight: NDArray[np.float32]
    outer_share: NDArray[np.float32]

    @property
    def start(self) -> NDArray[np.int64]:
        """The first ray of each sector, and the number of rays, shape (s + 1,)."""
        return np.searchsorted(self.sector, np.arange(len(self.weight) + 1)).astype(np.int64)


def outer_share(directions: NDArray[np.float64], side: Side) -> NDArray[np.float64]:
    """Return the share of the second, outer edge in the evidence, shape (...): large towards the joint's far wall."""
    acetabular = directions @ side.mirrored(SUPEROMEDIAL) > np.cos(np.radians(_ACETABULAR_CONE_DEGREE))
    return np.where(acetabular, 0.40, 0.15)


def looks_down_the_neck(directions: NDArray[np.float64], side: Side) -> NDArray[np.bool_]:
    """Tell which rays leave the head through the neck, where there is no rim, shape (...)."""
    return np.asarray(directions @ side.mirrored(DOWN_THE_NECK) > np.cos(np.radians(_NECK_CONE_DEGREE)))


def perpendicular(axis: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return unit vectors up and to the front at right angles to an axis that does not point straight up."""
    up = np.array([0.0, 0.0, 1.0]) - axis[2] * axis
    up /= np.linalg.norm(up)
    front = np.cross(up, axis)
    return up, front if front[1] < 0 else -front


def sphere_rays(side: Side, sectors: int = 40, rays: int = 400) -> Rays:
    """Return rays in all directions, grouped by the nearest of `sectors` evenly spread sector axes."""
    axes = _fibonacci(sectors)
    directions = _fibonacci(rays)
    nearest = np.argmax(directions @ axes.T, axis=1).astype(np.int32)
    order = np.argsort(nearest, kind="stable")
    return _with_trust(side.mirrored(directions[order]), nearest[order], side.mirrored(axes), side)


def circle_rays(side: Side, normal: NDArray[np.float64], sectors: int = 18, rays: int = 90) -> Rays:
    """Return rays in the plane with the given LPS normal, grouped in equal sectors."""
    first = np.cross(normal, [0.0, 1.0, 0.0] if abs(normal[1]) < 0.9 else [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    angle = (np.arange(rays) + 0.5) * 2 * np.pi / rays
    directions = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
    sector = (np.arange(rays) * sectors // rays).astype(np.int32)
    middle = (np.arange(sectors) + 0.5) * 2 * np.pi / sectors
    axes = np.cos(middle)[:, None] * first + np.sin(middle)[:, None] * second
    return _with_trust(directions, sector, axes, side)


def _with_trust(
    directions: NDArray[np.float64], sector: NDArray[np.int32], axes: NDArray[np.float64], side: Side
) -> Rays:
    border = axes @ side.mirrored(DOWN_THE_NECK) > np.cos(np.radians(_NECK_BORDER_DEGREE))
    weight = np.where(looks_down_the_neck(axes, side), NECK_TRUST, np.where(border, 0.5, 1.0))
    return Rays(
        directions,
        sector,
        (weight / weight.sum()).astype(np.float32),
        outer_share(axes, side).astype(np.float32),
    )


def _fibonacci(count: int) -> NDArray[np.float64]:
    """Return evenly spread unit vectors, shape (count, 3) (spherical Fibonacci lattice)."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    angle = np.pi * (1 + 5**0.5) * k
    radius = np.sqrt(1 - z * z)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), z])
