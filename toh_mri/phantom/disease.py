"""Diseases of the hip, as fields over it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.anatomy.pelvis import Pelvis
from toh_mri.phantom.arthropathy import Arthropathy, SurfaceEdema, draw_arthritis, draw_osteoarthritis
from toh_mri.phantom.fracture import FractureLine, NeckEdema, NeckLine, SubchondralLine
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import Node, chain, limit, node, ramp

EDEMA_THRESHOLD = 0.25
"""Marrow counts as edematous where its edema fraction is above this (definition of the truth)."""


class Disease(StrEnum):
    """What a hip has. The values stand in ``truth.json``."""

    NORMAL = "normal"
    TOH = "TOH"
    ON = "ON"
    SIF = "SIF"
    NECKFX = "NECKFX"
    OA = "OA"
    ARTHRITIS = "ARTHRITIS"


@dataclass(frozen=True, eq=False)
class Edema:
    """Diffuse edema that fills the head and fades down the neck.

    Attributes
    ----------
    fraction : float
        Edema fraction where it is full: 1 is the marked edema of the tissue table.
    end_mm, fade_mm : float
        Where it has fallen to half, from the head's centre along the neck, and how slowly.
    spared : float
        0..1, how far the medial quarter of the head is spared.
    patches : Texture
    """

    fraction: float
    end_mm: float
    fade_mm: float
    spared: float
    patches: Texture

    def __call__(self, p: Points, femur: Femur) -> Field:
        """Edema fraction 0..1 at points."""
        r, s = femur.radius_mm, femur.along_neck(p)
        medial = p.along((-0.92, 0.05, -0.38))
        ragged = s + np.float32(0.22 * r) * self.patches(p)
        full = ramp(ragged, self.end_mm + self.fade_mm, self.end_mm - self.fade_mm)
        spared = 1 - np.float32(self.spared) * ramp(medial + 0.10 * r * self.patches(p), 0.30 * r, 0.80 * r)
        return limit(np.float32(self.fraction) * full * spared * (1 + 0.16 * self.patches(p)), 0, 1)


@dataclass(frozen=True, eq=False)
class Necrosis:
    """A geographic lesion under the joint surface, bounded by a serpiginous band.

    Attributes
    ----------
    core : tuple of node
        Chain of balls along the joint surface whose union is the lesion.
    wrinkles : Texture
    wrinkle_mm : float
        Makes the band serpiginous.
    band_mm, granulation_mm : float
        Thickness of the dark outer line and of the line of granulation tissue inside it.
    mixed : float
        0..1, share of the lesion's centre that is no longer fat.
    patches : Texture
    around : float
        Edema fraction just outside the band.
    around_mm : float
        Distance over which it fades.
    """

    core: tuple[Node, ...]
    wrinkles: Texture
    wrinkle_mm: float
    band_mm: float
    granulation_mm: float
    mixed: float
    patches: Texture
    around: float
    around_mm: float

    def distance(self, p: Points) -> Field:
        """Signed distance to the band's outer edge, negative in the lesion; not limited to bone."""
        return np.asarray(chain(p, self.core) + np.float32(self.wrinkle_mm) * self.wrinkles(p))

    def edema(self, p: Points) -> Field:
        """Edema fraction around the lesion."""
        beyond = np.maximum(chain(p, self.core), 0)
        fraction = np.float32(self.around) * np.exp(-beyond / np.float32(self.around_mm))
        return limit(fraction * (1 + 0.3 * self.patches(p)), 0, 1)

    def interior(self, p: Points) -> Field:
        """0..1: how far the lesion's inside is other than mummified fat."""
        return limit(np.float32(self.mixed) * (1 + self.patches(p)), 0, 1)


@dataclass(frozen=True, eq=False)
class FractureEdema:
    """Diffuse edema of the head with a subchondral line, above which there may be less of it."""

    diffuse: Edema
    line: SubchondralLine

    def __call__(self, p: Points, femur: Femur) -> Field:
        """Edema fraction 0..1 at points."""
        return self.diffuse(p, femur) * self.line.quiet(p)


@dataclass(frozen=True, eq=False)
class Lesions:
    """What one hip has.

    Attributes
    ----------
    disease : Disease
    edema : callable or None
        Edema of the femur that has no necrosis.
    necrosis : Necrosis or None
    fluid_mm : float
        Depth of the joint's recesses.
    line : FractureLine or None
    joint : Arthropathy or None
        What is on both sides of the joint; its edema of the head is `edema`.
    """

    disease: Disease
    edema: Edema | FractureEdema | NeckEdema | SurfaceEdema | None
    necrosis: Necrosis | None
    fluid_mm: float
    line: FractureLine | None = None
    joint: Arthropathy | None = None

    @classmethod
    def draw(cls, disease: Disease, femur: Femur, rng: np.random.Generator) -> Lesions:
        """Draw the lesions of one hip."""
        if disease is Disease.TOH:
            return cls(disease, _draw_edema(femur, rng), None, float(rng.uniform(3.0, 5.0)))
        if disease is Disease.ON:
            return cls(disease, None, _draw_necrosis(femur, rng), float(rng.uniform(1.2, 3.0)))
        if disease is Disease.SIF:
            line = SubchondralLine.draw(femur, rng)
            edema = FractureEdema(_draw_fracture_edema(femur, rng), line)
            return cls(disease, edema, None, float(rng.uniform(0.9, 4.0)), line=line)
        if disease is Disease.NECKFX:
            neck = NeckLine.draw(femur, rng)
            return cls(disease, NeckEdema.draw(neck, rng), None, float(rng.uniform(0.8, 2.5)), line=neck)
        if disease is Disease.OA:
            worn = draw_osteoarthritis(rng)
            return cls(disease, worn.head, None, float(rng.uniform(1.5, 3.5)), joint=worn)
        if disease is Disease.ARTHRITIS:
            inflamed = draw_arthritis(rng)
            return cls(disease, inflamed.head, None, float(rng.uniform(10.0, 13.0)), joint=inflamed)
        return cls(disease, None, None, float(rng.uniform(0.7, 1.3)))

    @property
    def narrowing(self) -> float:
        """Share of the joint space that is lost."""
        return 0.0 if self.joint is None else self.joint.narrowing

    def edema_fraction(self, p: Points, femur: Femur) -> Field:
        """Edema fraction 0..1 of the femur's marrow; 0 in necrosis, line and cysts is up to the caller."""
        if self.edema is not None:
            return self.edema(p, femur)
        if self.necrosis is not None:
            return self.necrosis.edema(p)
        return np.zeros(np.broadcast(*p).shape, dtype=np.float32)

    def acetabular_edema(self, p: Points, pelvis: Pelvis) -> Field:
        """Edema fraction 0..1 of the acetabulum's marrow; 0 in cysts is up to the caller."""
        if self.joint is not None:
            return self.joint.acetabulum.of_acetabulum(p, pelvis)
        return np.zeros(np.broadcast(*p).shape, dtype=np.float32)

    def cysts(self, p: Points, femur: Femur) -> Field | None:
        """Signed distance to the cysts of the head, None where there are none."""
        own = None if self.joint is None else self.joint.head_cysts
        return None if own is None else own.in_head(p, femur)

    def acetabular_cysts(self, p: Points, pelvis: Pelvis) -> Field | None:
        """Signed distance to the cysts of the acetabulum, None where there are none."""
        own = None if self.joint is None else self.joint.acetabulum_cysts
        return None if own is None else own.in_acetabulum(p, pelvis)


def _draw_edema(femur: Femur, rng: np.random.Generator) -> Edema:
    """Draw edema of 60-100 % of the head and 30-80 % of the neck: what is plausible, not a published distribution."""
    return Edema(
        fraction=float(rng.uniform(0.8, 1.0)),
        end_mm=femur.radius_mm * float(rng.uniform(1.0, 1.5)),
        fade_mm=femur.radius_mm * float(rng.uniform(0.4, 0.6)),
        spared=float(rng.uniform(0.5, 0.95)),
        patches=Texture.draw(rng, 11.0),
    )


def _draw_fracture_edema(femur: Femur, rng: np.random.Generator) -> Edema:
    """Draw edema of most of the head, its medial part included, that reaches into the neck."""
    return Edema(
        fraction=float(rng.uniform(0.75, 0.95)),
        end_mm=femur.radius_mm * float(rng.uniform(0.8, 1.2)),
        fade_mm=femur.radius_mm * float(rng.uniform(0.4, 0.6)),
        spared=float(rng.uniform(0.0, 0.25)),
        patches=Texture.draw(rng, 9.0),
    )


def _draw_necrosis(femur: Femur, rng: np.random.Generator) -> Necrosis:
    share = rng.uniform(0.2, 0.4)
    wrinkles, wrinkle = Texture.draw(rng, 7.5), float(rng.uniform(0.7, 1.1))
    middle = np.array([0.15, -0.50, 0.84]) + rng.normal(0, 0.08, 3)
    along = np.cross(middle, [0.3, 1.0, 0.5])
    spread, size = rng.uniform(0.28, 0.45), rng.uniform(0.85, 1.15, 3)
    places = [middle + shift * along for shift in (-spread, 0.0, spread)]
    places = [place / np.linalg.norm(place) * femur.radius_mm for place in places]
    core = _sized_core(femur, places, size, share)
    return Necrosis(
        core=core,
        wrinkles=wrinkles,
        wrinkle_mm=wrinkle,
        band_mm=float(rng.uniform(1.3, 1.9)),
        granulation_mm=float(rng.uniform(1.2, 1.8)),
        mixed=float(rng.uniform(0.05, 0.5)),
        patches=Texture.draw(rng, 6.0),
        around=float(rng.choice([0.0, rng.uniform(0.2, 0.5)])),
        around_mm=float(rng.uniform(3.0, 8.0)),
    )


def _sized_core(
    femur: Femur, places: list[NDArray[np.float64]], size: NDArray[np.float64], share: float
) -> tuple[Node, ...]:
    """Find the radius at which the lesion takes the given share of the head, to 0.05 mm."""
    r = femur.radius_mm
    axis = np.arange(-r, r + 1, 1.5)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    ball = Points.of(points[(np.linalg.norm(points, axis=1) < r) & (points @ femur.neck.axis < 0.82 * r)])
    low, high = 0.1 * r, 1.6 * r
    while high - low > 0.05:
        middle = (low + high) / 2
        taken = float((chain(ball, _nodes(places, size, middle)) < 0).mean())
        low, high = (middle, high) if taken < share else (low, middle)
    return _nodes(places, size, low)


def _nodes(places: list[NDArray[np.float64]], size: NDArray[np.float64], radius: float) -> tuple[Node, ...]:
    return tuple(node(place, radius * k) for place, k in zip(places, size, strict=True))
