"""Marrow replacement: infiltration that keeps to no joint and is not edema."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.points import Field, Points


@dataclass(frozen=True, eq=False)
class Replacement:
    """Infiltrated marrow of femur and pelvis: many nodules with a sharp edge, or wide confluent areas.

    Attributes
    ----------
    density : float
        0..1, share of the infiltrate within its margins.
    centers : ndarray of float64, shape (n, 3)
        Of the nodules, in the hip's frame; none where it is diffuse.
    radius_mm : ndarray of float64, shape (n,)
    uneven : Texture
        Makes margins uneven; where it is diffuse, decides where it is.
    level : float
        Diffuse: infiltrated where `uneven` is below this.
    """

    density: float
    centers: NDArray[np.float64]
    radius_mm: NDArray[np.float64]
    uneven: Texture
    level: float

    @classmethod
    def draw(cls, femur: Femur, rng: np.random.Generator) -> Replacement:
        """Draw nodules in one of two, else diffuse infiltration; numbers and sizes are the author's estimate."""
        if rng.random() < 0.5:
            return cls(
                density=float(rng.uniform(0.7, 0.95)),
                centers=np.zeros((0, 3)),
                radius_mm=np.zeros(0),
                uneven=Texture.draw(rng, 14.0),
                level=float(rng.uniform(0.1, 1.2)),
            )
        radius = rng.uniform(4.0, 11.0, int(rng.integers(5, 13)))
        return cls(
            density=float(rng.uniform(0.9, 1.0)),
            centers=np.stack([_place(femur, rng) for _ in radius]),
            radius_mm=radius,
            uneven=Texture.draw(rng, 6.0),
            level=0.0,
        )

    def distance(self, p: Points) -> Field:
        """Signed distance to the infiltrate's margin, negative in it; not limited to marrow."""
        if not len(self.centers):
            return np.asarray(np.float32(_MM_FOR_EACH_DEVIATION) * (self.uneven(p) - np.float32(self.level)))
        balls = [p.minus(c).norm() - np.float32(r) for c, r in zip(self.centers, self.radius_mm, strict=True)]
        return np.asarray(np.minimum.reduce(balls) + np.float32(1.5) * self.uneven(p))


_MM_FOR_EACH_DEVIATION = 5.0  # over which a texture of 14 mm grain changes by its standard deviation


def _place(femur: Femur, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw where a nodule sits: in two of three along head, neck and shaft, else in the acetabulum."""
    r = femur.radius_mm
    if rng.random() < 1 / 3:
        return np.asarray(rng.normal(0, 0.3 * r, 3) + np.array([-0.7, 0.0, 1.5]) * r)
    along = rng.uniform(-0.5, 3.2) * r
    bend = min(along, 1.9 * r)
    middle = bend * femur.neck.axis + (along - bend) * femur.shaft.axis
    return np.asarray(middle + rng.normal(0, 0.25 * r, 3))
