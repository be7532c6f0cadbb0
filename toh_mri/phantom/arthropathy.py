"""What diseases of the joint do on both of its sides: edema, cysts, thick synovium."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.anatomy.pelvis import Pelvis
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import limit, ramp

_ROOF = np.array([-0.02, 0.08, 1.0])
"""From the head's centre to the part of the roof that lies well within the rim."""


@dataclass(frozen=True, eq=False)
class SurfaceEdema:
    """Edema under a joint surface, deepest about a pole.

    Attributes
    ----------
    fraction : float
        Edema fraction where it is full.
    reach_mm : float
        Depth under the surface at which it has fallen to half.
    pole : ndarray of float64, shape (3,)
        Unit vector from the head's centre to where it is widest.
    near, far : float
        Cosines of the angle to the pole within which it is full and beyond which there is none.
    patches : Texture
    """

    fraction: float
    reach_mm: float
    pole: NDArray[np.float64]
    near: float
    far: float
    patches: Texture

    def __call__(self, p: Points, femur: Femur) -> Field:
        """Edema fraction 0..1 of the head."""
        r = femur.radius_mm
        return self._under(p, -femur.head_distance(p)) * ramp(femur.along_neck(p), 1.0 * r, 0.6 * r)

    def of_acetabulum(self, p: Points, pelvis: Pelvis) -> Field:
        """Edema fraction 0..1 of the acetabulum."""
        return self._under(p, p.norm() - np.float32(pelvis.socket_mm))

    def _under(self, p: Points, depth: Field) -> Field:
        patches = self.patches(p)
        cosine = p.along(self.pole) / np.maximum(p.norm(), np.float32(1e-3)) + np.float32(0.15) * patches
        ragged = depth + np.float32(0.4 * self.reach_mm) * patches
        full = ramp(ragged, 1.5 * self.reach_mm, 0.5 * self.reach_mm) * ramp(cosine, self.far, self.near)
        return limit(np.float32(self.fraction) * full * (1 + 0.16 * patches), 0, 1)


@dataclass(frozen=True, eq=False)
class Cysts:
    """Subchondral cysts on one side of the joint: balls of fluid with a thin dark wall.

    Attributes
    ----------
    places : ndarray of float64, shape (n, 3)
        Unit vectors from the head's centre.
    depth_mm, radius_mm : ndarray of float64, shape (n,)
        Of their centres under the bone's surface; of the fluid.
    uneven : Texture
    """

    places: NDArray[np.float64]
    depth_mm: NDArray[np.float64]
    radius_mm: NDArray[np.float64]
    uneven: Texture

    @classmethod
    def draw(cls, pole: NDArray[np.float64], largest_mm: float, rng: np.random.Generator) -> Cysts:
        """Draw one to three cysts about a pole; sizes are the author's estimate."""
        count = int(rng.integers(1, 4))
        places = pole + np.array([0.18, 0.18, 0.1]) * np.clip(rng.standard_normal((count, 3)), -1.5, 1.5)
        radius = rng.uniform(1.8, largest_mm, count)
        radius[0] = max(radius[0], 2.6)  # one that a slice of 4 mm shows
        return cls(
            places=places / np.linalg.norm(places, axis=1, keepdims=True),
            depth_mm=radius + rng.uniform(1.4, 2.4, count),
            radius_mm=radius,
            uneven=Texture.draw(rng, 3.5),
        )

    def in_head(self, p: Points, femur: Femur) -> Field:
        """Signed distance to the fluid of cysts in the head."""
        return self._distance(p, femur.radius_mm - self.depth_mm)

    def in_acetabulum(self, p: Points, pelvis: Pelvis) -> Field:
        """Signed distance to the fluid of cysts in the acetabulum."""
        return self._distance(p, pelvis.socket_mm + self.depth_mm)

    def _distance(self, p: Points, from_center_mm: NDArray[np.float64]) -> Field:
        centers = self.places * from_center_mm[:, None]
        balls = [p.minus(c).norm() - np.float32(r) for c, r in zip(centers, self.radius_mm, strict=True)]
        return np.asarray(np.minimum.reduce(balls) + np.float32(0.6) * limit(self.uneven(p), -1.5, 1.5))


@dataclass(frozen=True, eq=False)
class Arthropathy:
    """Both sides of a diseased joint.

    Attributes
    ----------
    head, acetabulum : SurfaceEdema
    head_cysts, acetabulum_cysts : Cysts or None
    narrowing : float
        Share of the joint space that is lost.
    synovium_mm : float
        Thickness of the synovium that lines the capsule; 0 where it cannot be seen.
    fronds : Texture
        Where the synovium is thicker or thinner.
    """

    head: SurfaceEdema
    acetabulum: SurfaceEdema
    head_cysts: Cysts | None
    acetabulum_cysts: Cysts | None
    narrowing: float
    synovium_mm: float
    fronds: Texture

    def synovium(self, p: Points) -> Field:
        """Thickness of the synovium in mm, 0 or more."""
        return np.float32(self.synovium_mm) * limit(1 + 0.45 * self.fronds(p), 0, 2.2)


def draw_osteoarthritis(rng: np.random.Generator) -> Arthropathy:
    """Draw edema and cysts on both sides of the part that bears weight, and a narrow joint space.

    In 1 of 4 the edema is strong and takes most of the upper head: a hard case, its share the author's choice.
    """
    pole = _unit(np.array([0.25, -0.12, 1.0]) + rng.normal(0, 0.1, 3))
    level, reach = rng.uniform(0.5, 0.8), rng.uniform(5.0, 9.0)
    worn = Arthropathy(
        head=SurfaceEdema(float(level), float(reach), pole, 0.92, 0.62, Texture.draw(rng, 7.0)),
        acetabulum=SurfaceEdema(float(level), float(reach * 1.1), pole, 0.88, 0.60, Texture.draw(rng, 7.0)),
        head_cysts=Cysts.draw(pole, 3.8, rng),
        acetabulum_cysts=Cysts.draw(_ROOF, 4.5, rng),
        narrowing=float(rng.uniform(0.25, 0.5)),
        synovium_mm=0.0,
        fronds=Texture.draw(rng, 5.0),
    )
    strong, level, reach = rng.random() < 0.25, rng.uniform(0.8, 1.0), rng.uniform(10.0, 18.0)
    if not strong:
        return worn
    return replace(
        worn,
        head=replace(worn.head, fraction=float(level), reach_mm=float(reach), near=0.85, far=0.1),
        acetabulum=replace(worn.acetabulum, fraction=float(level), reach_mm=float(0.7 * reach), near=0.8, far=0.3),
    )


def draw_arthritis(rng: np.random.Generator) -> Arthropathy:
    """Draw edema along the whole of both joint surfaces, and thick synovium."""
    pole = _unit(np.array([0.0, 0.0, 1.0]) + rng.normal(0, 0.15, 3))
    level, reach = rng.uniform(0.55, 0.9), rng.uniform(7.0, 12.0)
    return Arthropathy(
        head=SurfaceEdema(float(level), float(reach), pole, 0.3, -0.8, Texture.draw(rng, 7.5)),
        acetabulum=SurfaceEdema(float(level), float(reach), pole, 0.6, -0.2, Texture.draw(rng, 7.5)),
        head_cysts=None,
        acetabulum_cysts=None,
        narrowing=float(rng.uniform(0.0, 0.2)),
        synovium_mm=float(rng.uniform(0.6, 1.5)),
        fronds=Texture.draw(rng, 5.0),
    )


def _unit(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(v / np.linalg.norm(v))
