"""Diseases of the hip, as fields over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from toh_mri.phantom.anatomy.femur import Depression, Femur
from toh_mri.phantom.anatomy.pelvis import Pelvis
from toh_mri.phantom.arthropathy import Arthropathy, SurfaceEdema, draw_arthritis, draw_osteoarthritis
from toh_mri.phantom.deformity import SOUND, Deformity, Osteophytes
from toh_mri.phantom.edema import (
    Edema,
    FractureEdema,
    draw_edema_of_necrosis,
    draw_fracture_edema,
    draw_transient_edema,
)
from toh_mri.phantom.fracture import FractureLine, NeckEdema, NeckLine, SubchondralLine
from toh_mri.phantom.necrosis import Crescent, Necrosis, draw_necrosis
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.replacement import Replacement

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
    REPLACEMENT = "REPLACEMENT"


@dataclass(frozen=True, eq=False)
class Lesions:
    """What one hip has.

    Attributes
    ----------
    disease : Disease
    edema : callable or None
        Edema of the femur, besides the one round a necrosis.
    necrosis : Necrosis or None
    fluid_mm : float
        Depth of the joint's recesses.
    line : FractureLine or None
    joint : Arthropathy or None
        What is on both sides of the joint; its edema of the head is `edema`.
    replacement : Replacement or None
    deformity : Deformity
    """

    disease: Disease
    edema: Edema | FractureEdema | NeckEdema | SurfaceEdema | None
    necrosis: Necrosis | None
    fluid_mm: float
    line: FractureLine | None = None
    joint: Arthropathy | None = None
    replacement: Replacement | None = None
    deformity: Deformity = SOUND

    @classmethod
    def draw(cls, disease: Disease, femur: Femur, rng: np.random.Generator) -> Lesions:
        """Draw the lesions of one hip as they are at the first visit."""
        return _DRAWN_BY[disease](femur, rng)

    @property
    def narrowing(self) -> float:
        """Share of the joint space that is lost."""
        return 0.0 if self.joint is None else self.joint.narrowing

    def shape(self, femur: Femur) -> Femur:
        """Return the femur with the surface that the disease gives it."""
        return self.deformity.of(femur)

    def edema_fraction(self, p: Points, femur: Femur) -> Field:
        """Edema fraction 0..1 of the femur's marrow; 0 in necrosis, line and cysts is up to the caller."""
        fraction: Field = np.zeros(np.broadcast(*p).shape, dtype=np.float32)
        if self.edema is not None:
            fraction = self.edema(p, femur)
        if self.necrosis is not None and self.necrosis.around > 0:
            fraction = np.maximum(fraction, self.necrosis.edema(p))
        return fraction

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

    def drawn(self) -> dict[str, float]:
        """Return the numbers that edema, necrosis and infiltrate were drawn with, by name."""
        parts = [part for part in (self.edema, self.necrosis, self.replacement) if part is not None]
        if isinstance(self.edema, FractureEdema):
            parts.append(self.edema.diffuse)
        numbers = {name: value for part in parts for name, value in vars(part).items() if isinstance(value, float)}
        return {"fluid_mm": self.fluid_mm, **numbers}


def _draw_normal(_: Femur, rng: np.random.Generator) -> Lesions:
    return Lesions(Disease.NORMAL, None, None, float(rng.uniform(0.7, 1.3)))


def _draw_toh(femur: Femur, rng: np.random.Generator) -> Lesions:
    """Draw TOH, with a short thin subchondral line in 1 of 4.

    Lines were seen in 37 % of first MRIs of edema syndromes of hip and knee (Geith 2020, doi
    10.5152/dir.2020.19188); the share here, of hips, is the author's choice.
    """
    edema, fluid = draw_transient_edema(femur, rng), float(rng.uniform(2.4, 5.0))
    line = SubchondralLine.draw_faint(femur, rng) if rng.random() < 0.25 else None
    return Lesions(Disease.TOH, edema, None, fluid, line=line)


def _draw_on(femur: Femur, rng: np.random.Generator) -> Lesions:
    """Draw osteonecrosis before a fracture (60 %), with a crescent (20 %), or collapsed (20 %).

    Edema in 44 % before and 94 % after the fracture, effusion in 25 % and 76 % (ARCO 2 and 3A; Eur Radiol 2023, doi
    10.1007/s00330-023-09403-8). Of those with edema, half have it round the lesion only, in 1 of 3 it reaches down
    the neck, in 1 of 6 it is as diffuse as in TOH. Lesions of under 12 % of the head do not fracture (after
    Kuroda 2019, PMC6825048: no collapse of type A). All other shares are the author's choice.
    """
    low, high = ((0.03, 0.15), (0.15, 0.30), (0.30, 0.60))[int(rng.choice(3, p=[0.30, 0.35, 0.35]))]
    necrosis = draw_necrosis(femur, float(rng.uniform(low, high)), rng)
    stage = float(rng.random()) if necrosis.share > 0.12 else 0.0
    fractured, collapsed = stage > 0.6, stage > 0.8
    edema = None
    if rng.random() < (0.94 if fractured else 0.44):
        necrosis = with_edema_around(necrosis, rng)
        kind = rng.random()
        edema = None if kind < 0.5 else draw_edema_of_necrosis(femur, diffuse=bool(kind > 5 / 6), rng=rng)
    effused = rng.random() < (0.76 if fractured else 0.25)
    return Lesions(
        Disease.ON,
        edema,
        necrosis,
        fluid_mm=float(rng.uniform(2.2, 4.5) if effused else rng.uniform(0.8, 1.5)),
        line=Crescent.draw(necrosis, femur, rng) if fractured and (not collapsed or rng.random() < 0.6) else None,
        deformity=collapse(necrosis, femur, float(rng.uniform(0.8, 4.0))) if collapsed else SOUND,
    )


def with_edema_around(necrosis: Necrosis, rng: np.random.Generator) -> Necrosis:
    """Return a necrosis with edema round its band, of an amount that is the author's estimate."""
    return replace(necrosis, around=float(rng.uniform(0.45, 0.9)), around_mm=float(rng.uniform(4.0, 10.0)))


def collapse(necrosis: Necrosis, femur: Femur, depth_mm: float) -> Deformity:
    """Return the head's collapse over a necrosis: up to 2 mm is ARCO IIIA, more is IIIB (Yoon 2020)."""
    radius = femur.radius_mm * min(0.75, 1.1 * necrosis.share ** (1 / 3))
    return Deformity(depression=Depression(necrosis.direction, radius, depth_mm))


def _draw_sif(femur: Femur, rng: np.random.Generator) -> Lesions:
    """Draw an insufficiency fracture, the head slightly flattened over it in 1 of 4 (the author's choice)."""
    line = SubchondralLine.draw(femur, rng)
    edema, fluid = FractureEdema(draw_fracture_edema(femur, rng), line), float(rng.uniform(0.9, 4.0))
    flat, depth = bool(rng.random() < 0.25), float(rng.uniform(0.5, 1.5))
    return Lesions(
        Disease.SIF, edema, None, fluid, line=line, deformity=flattening(line, femur, depth) if flat else SOUND
    )


def flattening(line: SubchondralLine, femur: Femur, depth_mm: float) -> Deformity:
    """Return the head's depression over a subchondral line."""
    return Deformity(depression=Depression(line.middle, max(0.7 * line.length_mm, 0.35 * femur.radius_mm), depth_mm))


def _draw_neck_fracture(femur: Femur, rng: np.random.Generator) -> Lesions:
    line = NeckLine.draw(femur, rng)
    return Lesions(Disease.NECKFX, NeckEdema.draw(line, rng), None, fluid_mm=float(rng.uniform(0.8, 2.5)), line=line)


def _draw_osteoarthritis(_: Femur, rng: np.random.Generator) -> Lesions:
    worn, fluid = draw_osteoarthritis(rng), float(rng.uniform(1.5, 3.5))
    osteophytes = Osteophytes(size_mm=float(rng.uniform(2.0, 6.0)), seed=int(rng.integers(2**32)))
    return Lesions(Disease.OA, worn.head, None, fluid, joint=worn, deformity=Deformity(osteophytes=osteophytes))


def _draw_arthritis(_: Femur, rng: np.random.Generator) -> Lesions:
    inflamed = draw_arthritis(rng)
    return Lesions(Disease.ARTHRITIS, inflamed.head, None, float(rng.uniform(10.0, 13.0)), joint=inflamed)


def _draw_replacement(femur: Femur, rng: np.random.Generator) -> Lesions:
    infiltrate = Replacement.draw(femur, rng)
    return Lesions(Disease.REPLACEMENT, None, None, float(rng.uniform(0.7, 1.6)), replacement=infiltrate)


_DRAWN_BY: dict[Disease, Callable[[Femur, np.random.Generator], Lesions]] = {
    Disease.NORMAL: _draw_normal,
    Disease.TOH: _draw_toh,
    Disease.ON: _draw_on,
    Disease.SIF: _draw_sif,
    Disease.NECKFX: _draw_neck_fracture,
    Disease.OA: _draw_osteoarthritis,
    Disease.ARTHRITIS: _draw_arthritis,
    Disease.REPLACEMENT: _draw_replacement,
}
