"""Diffuse edema of the femoral head, and how far down the femur it reaches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.fracture import SubchondralLine
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import limit, ramp


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
        spared = 1 - np.float32(self.spared) * ramp(medial + 0.10 * r * self.patches(p), 0.20 * r, 0.70 * r)
        return limit(np.float32(self.fraction) * full * spared * (1 + 0.16 * self.patches(p)), 0, 1)

    def less(self, level: float, radius_mm: float) -> Edema:
        """Return what is left of it at a level 1..0: fainter, and ending nearer to the joint."""
        return replace(self, fraction=self.fraction * level, end_mm=self.end_mm - 0.7 * radius_mm * (1 - level))


@dataclass(frozen=True, eq=False)
class FractureEdema:
    """Diffuse edema of the head with a subchondral line, above which there may be less of it."""

    diffuse: Edema
    line: SubchondralLine

    @property
    def fraction(self) -> float:
        """Edema fraction where it is full."""
        return self.diffuse.fraction

    def __call__(self, p: Points, femur: Femur) -> Field:
        """Edema fraction 0..1 at points."""
        return self.diffuse(p, femur) * self.line.quiet(p, femur)

    def less(self, level: float, radius_mm: float) -> FractureEdema:
        """Return what is left of it at a level 1..0."""
        return replace(self, diffuse=self.diffuse.less(level, radius_mm))


def draw_transient_edema(femur: Femur, rng: np.random.Generator) -> Edema:
    """Draw the edema of TOH: head and neck in 55 %, head alone in 20 %, to the intertrochanteric plane in 25 %.

    The medial part of the head is spared in 9 of 10 (Radiopaedia, citing a series of 155 hips). The shares of the
    extents are the author's estimate.
    """
    r = femur.radius_mm
    usual = Edema(
        fraction=float(rng.uniform(0.8, 1.0)),
        end_mm=r * float(rng.uniform(1.0, 1.5)),
        fade_mm=r * float(rng.uniform(0.4, 0.6)),
        spared=float(rng.uniform(0.5, 0.95)),
        patches=Texture.draw(rng, 11.0),
    )
    spared, extent = rng.random() < 0.9, rng.random()
    if extent < 0.20:  # of the head alone
        usual = replace(usual, end_mm=r * float(rng.uniform(0.60, 0.85)), fade_mm=r * float(rng.uniform(0.2, 0.35)))
    elif extent > 0.75:
        usual = replace(usual, end_mm=r * float(rng.uniform(1.6, 2.0)))
    return usual if spared else replace(usual, spared=float(rng.uniform(0.0, 0.2)))


def draw_fracture_edema(femur: Femur, rng: np.random.Generator) -> Edema:
    """Draw edema of most of the head, its medial part included, that reaches into the neck."""
    return Edema(
        fraction=float(rng.uniform(0.75, 0.95)),
        end_mm=femur.radius_mm * float(rng.uniform(0.8, 1.2)),
        fade_mm=femur.radius_mm * float(rng.uniform(0.4, 0.6)),
        spared=float(rng.uniform(0.0, 0.25)),
        patches=Texture.draw(rng, 9.0),
    )


def draw_edema_of_necrosis(femur: Femur, *, diffuse: bool, rng: np.random.Generator) -> Edema:
    """Draw the edema of an osteonecrosis that goes beyond its margin.

    Either it reaches down the neck, or it is as diffuse and strong as in TOH, which makes a hard case. Sizes are
    the author's estimate.
    """
    r = femur.radius_mm
    return Edema(
        fraction=float(rng.uniform(0.8, 1.0) if diffuse else rng.uniform(0.55, 0.8)),
        end_mm=r * float(rng.uniform(1.1, 1.6) if diffuse else rng.uniform(0.8, 1.3)),
        fade_mm=r * float(rng.uniform(0.4, 0.6)),
        spared=float(rng.uniform(0.0, 0.6) if diffuse else rng.uniform(0.5, 1.0)),
        patches=Texture.draw(rng, 10.0),
    )
