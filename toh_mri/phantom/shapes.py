"""Signed distances (mm, negative inside) of simple bodies, and how to join them.

The forms follow I. Quilez, "Distance functions" and "Smooth minimum" (iquilezles.org). Distances of stretched
bodies are first-order approximations: right at the surface, which is where they are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toh_mri.kernels import fields
from toh_mri.phantom.points import Field, Points, line_up

Node = tuple[float, float, float, float]
"""A point of a chain and the chain's radius there: x, y, z, r in mm."""


def node(at: ArrayLike, radius: float) -> Node:
    """Make a node of a point, shape (3,), and a radius."""
    x, y, z = np.asarray(at, dtype=np.float64)
    return (float(x), float(y), float(z), float(radius))


def limit(value: Field, low: float, high: float) -> Field:
    """Clip a field."""
    return np.asarray(np.clip(value, low, high))


def ramp(value: Field, start: float, stop: float) -> Field:
    """Rise smoothly from 0 at `start` to 1 at `stop` (which may lie below `start`)."""
    t = limit((value - np.float32(start)) / np.float32(stop - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def bump(value: Field, middle: float, width: float) -> Field:
    """Bell of height 1 and standard deviation `width`."""
    return np.asarray(np.exp(-0.5 * np.square((value - np.float32(middle)) / np.float32(width))))


def union(a: Field, b: Field, blend_mm: float = 0.0) -> Field:
    """Join two bodies; `blend_mm` fillets the seam."""
    if blend_mm <= 0:
        return np.asarray(np.minimum(a, b))
    k = np.float32(blend_mm)
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return np.asarray(b + (a - b) * h - k * h * (1 - h))


def cut(a: Field, b: Field, blend_mm: float = 0.0) -> Field:
    """Keep what lies in both bodies."""
    return np.asarray(-union(-a, -b, blend_mm))


def ellipsoid(p: Points, center: ArrayLike, radii: tuple[float, float, float]) -> Field:
    """Ellipsoid with axes along x, y, z."""
    q = p.minus(center)
    scaled = Points(*(c / np.float32(r) for c, r in zip(q, radii, strict=True)))
    steep = Points(*(c / np.float32(r) for c, r in zip(scaled, radii, strict=True)))
    k = scaled.norm()
    return np.asarray(k * (k - 1) / np.maximum(steep.norm(), np.float32(1e-6)))


def chain(p: Points, nodes: Sequence[Node]) -> Field:
    """Return the distance to a rounded tube through nodes, its radius varying from node to node."""
    return fields.cone_distance(*p.flat(), cones(nodes)).reshape(p.shape)


def cones(nodes: Sequence[Node]) -> NDArray[np.float32]:
    """Return the cones between the nodes of a chain as kernels take them, shape (nodes - 1, 11)."""
    at = np.asarray(nodes, dtype=np.float64)
    start, step = at[:-1], at[1:] - at[:-1]
    axis = step[:, :3]
    cone = np.empty((len(step), 11), dtype=np.float32)
    cone[:, :3], cone[:, 3:6] = start[:, :3], axis
    cone[:, 6:9] = axis / (axis * axis).sum(axis=1, keepdims=True)
    cone[:, 9], cone[:, 10] = start[:, 3], step[:, 3]
    return cone


@dataclass(frozen=True, eq=False)
class Tube:
    """A straight tube of elliptical section whose half-widths vary along it.

    Attributes
    ----------
    origin, axis, up, across : ndarray of float64, shape (3,)
        A point on the axis; unit vectors along the tube and along the section's two half-widths.
    at_mm, half_up_mm, half_across_mm, offset_up_mm : ndarray of float64, shape (n,)
        Knots along the axis; half-widths and shift of the section's centre (along `up`) at the knots.
    """

    origin: NDArray[np.float64]
    axis: NDArray[np.float64]
    up: NDArray[np.float64]
    across: NDArray[np.float64]
    at_mm: NDArray[np.float64]
    half_up_mm: NDArray[np.float64]
    half_across_mm: NDArray[np.float64]
    offset_up_mm: NDArray[np.float64]

    def distance(self, p: Points) -> Field:
        """Signed distance of points, rounded at both ends."""
        q = p.minus(self.origin)
        s = q.along(self.axis)
        half_up, half_across, offset = (
            np.interp(s, self.at_mm, knots).astype(np.float32)
            for knots in (self.half_up_mm, self.half_across_mm, self.offset_up_mm)
        )
        u, v = q.along(self.up) - offset, q.along(self.across)
        scaled = np.sqrt(np.square(u / half_up) + np.square(v / half_across))
        steep = np.sqrt(np.square(u / half_up**2) + np.square(v / half_across**2))
        wall = scaled * (scaled - 1) / np.maximum(steep, np.float32(1e-6))
        ends = np.maximum(np.float32(self.at_mm[0]) - s, s - np.float32(self.at_mm[-1]))
        return cut(wall, ends, 4.0)


def polygon(u: Field, v: Field, corners: ArrayLike) -> Field:
    """Signed distance of (u, v) to a closed polygon, corners of shape (n, 2)."""
    c = np.asarray(corners, dtype=np.float32)
    edges = np.hstack([c, np.roll(c, -1, axis=0)])
    u, v = np.broadcast_arrays(u, v)
    return fields.polygon_distance(line_up(u), line_up(v), edges).reshape(u.shape)
