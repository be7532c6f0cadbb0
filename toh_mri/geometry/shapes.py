"""Spheres and planes in patient space."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toh_mri.core.errors import GeometryError

Point = tuple[float, float, float]
_SPHERE_PARAMETERS = 4


def as_point(values: ArrayLike) -> Point:
    """Return three numbers as a tuple of Python floats."""
    x, y, z = np.asarray(values, dtype=np.float64)
    return (float(x), float(y), float(z))


@dataclass(frozen=True)
class Sphere:
    """A sphere: centre in LPS mm, radius in mm.

    Raises
    ------
    GeometryError
        ``invalid_sphere`` if a value is not finite or the radius not positive.
    """

    center: Point
    radius_mm: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.center).all() and np.isfinite(self.radius_mm) and self.radius_mm > 0):
            raise GeometryError("invalid_sphere", "A sphere needs a finite centre and a radius above zero.")

    @property
    def volume_ml(self) -> float:
        """Volume in ml."""
        return 4.0 / 3.0 * pi * self.radius_mm**3 / 1000.0

    def signed_distance(self, points: ArrayLike) -> NDArray[np.float64]:
        """Distance of LPS points, shape (..., 3), to the surface in mm: negative inside."""
        gap = np.linalg.norm(np.asarray(points, dtype=np.float64) - self.center, axis=-1)
        return np.asarray(gap - self.radius_mm)


@dataclass(frozen=True)
class Plane:
    """The points p with ``normal . p = offset_mm``; the side the normal points to is positive.

    `normal` is made a unit vector, and `offset_mm` scaled with it.

    Raises
    ------
    GeometryError
        ``invalid_plane`` if the normal has no length or a value is not finite.
    """

    normal: Point
    offset_mm: float

    def __post_init__(self) -> None:
        length = float(np.linalg.norm(self.normal))
        if not (np.isfinite(length) and length > 0 and np.isfinite(self.offset_mm)):
            raise GeometryError("invalid_plane", "A plane needs a normal with a length and a finite offset.")
        object.__setattr__(self, "normal", as_point(np.asarray(self.normal) / length))
        object.__setattr__(self, "offset_mm", float(self.offset_mm) / length)

    @classmethod
    def through(cls, point: ArrayLike, normal: ArrayLike) -> Plane:
        """Return the plane through an LPS point with the given normal."""
        direction = np.asarray(normal, dtype=np.float64)
        return cls(as_point(direction), float(direction @ np.asarray(point, dtype=np.float64)))

    def signed_distance(self, points: ArrayLike) -> NDArray[np.float64]:
        """Distance of LPS points, shape (..., 3), in mm: positive where the normal points."""
        return np.asarray(np.asarray(points, dtype=np.float64) @ np.asarray(self.normal) - self.offset_mm)


def fit_sphere(
    points: ArrayLike, weights: ArrayLike | None = None, *, scale_mm: float = 1.0, iterations: int = 12
) -> Sphere:
    """Fit a sphere to surface points, robustly.

    An algebraic least-squares fit (Coope 1993, 10.1007/BF00939613) starts Gauss-Newton steps on the
    distances, reweighted with Cauchy weights of scale `scale_mm` (Holland and Welsch 1977,
    10.1080/03610927708827533), so that a flattened or badly traced part does not pull the sphere: up to
    a tenth of the surface traced wrongly in one piece, or a third of the points scattered over it.

    Parameters
    ----------
    points : array_like of float, shape (n, 3)
        LPS mm. At least four, not all in one plane.
    weights : array_like of float, shape (n,), optional
        Trust in each point, >= 0.
    scale_mm : float
        Residual at which a point counts half, in mm.
    iterations : int
        Number of reweighted steps.

    Raises
    ------
    GeometryError
        ``degenerate_fit`` where the points do not determine a sphere.
    """
    p = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    base = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(p) < _SPHERE_PARAMETERS or not (np.isfinite(p).all() and np.isfinite(base).all()):
        raise GeometryError("degenerate_fit", "A sphere needs four surface points with finite coordinates.")
    middle = p.mean(axis=0)
    q = p - middle
    design = np.column_stack([2 * q, np.ones(len(q))]) * np.sqrt(base)[:, None]
    solution, _, rank, _ = np.linalg.lstsq(design, (q**2).sum(axis=1) * np.sqrt(base), rcond=1e-10)
    if rank < _SPHERE_PARAMETERS:
        raise GeometryError("degenerate_fit", "The surface points do not determine a sphere.")
    center = solution[:3]
    radius = float(np.sqrt(max(solution[3] + center @ center, 0.0)))
    for _ in range(iterations):
        ray = q - center
        distance = np.maximum(np.linalg.norm(ray, axis=1), 1e-9)
        residual = distance - radius
        weight = base / (1.0 + (residual / scale_mm) ** 2)
        jacobian = np.column_stack([ray / distance[:, None], np.ones(len(q))])
        root = np.sqrt(weight)
        step, *_ = np.linalg.lstsq(jacobian * root[:, None], residual * root, rcond=None)
        center = center + step[:3]
        radius += float(step[3])
    return Sphere(as_point(center + middle), radius)
