"""Fracture lines of the femur: thin dark sheets in the marrow, under the joint surface or across the neck."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import limit, ramp
from toh_mri.phantom.tissues import Tissue


class Sheet(NamedTuple):
    """A line as two smooth fields, which keep their shape when interpolated (their absolute values would not).

    Attributes
    ----------
    across : float array, mm
        Signed distance to the sheet's middle; stretched where the sheet is thinner than twice its `half_mm`.
    beyond : float array, mm
        Signed distance to the sheet's margin, negative where it is.
    """

    across: Field
    beyond: Field


class FractureLine(Protocol):
    """What painting and truth need of a line."""

    @property
    def name(self) -> str:
        """Name in the truth's ``params.joint``."""

    @property
    def length_mm(self) -> float:
        """Length as drawn, gaps included."""

    @property
    def mask(self) -> str:
        """Name of its mask in the truth."""

    @property
    def tissue(self) -> Tissue:
        """What it is filled with."""

    @property
    def half_mm(self) -> float:
        """Half its thickness."""

    def sheet(self, p: Points, femur: Femur) -> Sheet:
        """Return the line at points of the hip's frame."""


@dataclass(frozen=True, eq=False)
class SubchondralLine:
    """The line of an insufficiency fracture: under the top of the head, along its surface, rough, with gaps.

    Attributes
    ----------
    middle, along : ndarray of float64, shape (3,)
        Unit vectors from the head's centre: to the line's middle, and (at right angles) to its ends.
    length_mm, width_mm : float
        From end to end along `along`, and from front to back, on the arc that the line follows.
    depth_mm, slope_mm : float
        Depth of its middle under the bone's surface; by how much more one end lies than the middle.
    half_mm, rough_mm : float
    rough, gaps : Texture
    gap_level : float
        Broken where `gaps` is above this.
    above : float
        Factor on the edema between line and surface.
    """

    middle: NDArray[np.float64]
    along: NDArray[np.float64]
    length_mm: float
    width_mm: float
    depth_mm: float
    slope_mm: float
    half_mm: float
    rough_mm: float
    rough: Texture
    gaps: Texture
    gap_level: float
    above: float

    name = "subchondral"
    mask = "line_subchondral"
    tissue = Tissue.SCLEROSIS

    @classmethod
    def draw(cls, femur: Femur, rng: np.random.Generator) -> SubchondralLine:
        """Draw the line of an insufficiency fracture.

        Lengths: mean 13.4 mm (confidence interval of the mean 7.6-19.3) where the fracture healed and 22.5 mm
        (17.7-27.3) where it went on to collapse, Iwasaki 2012 (Br J Radiol). Signal above the line: high in 21,
        mixed in 8 and low in 11 of 40 hips, Sonoda 2016 (Skeletal Radiol 45:1515). The depth, 2-6 mm, is chosen
        so that slices show it; histology found a mean of 1.6 mm (doi 10.1055/s-0038-1646937).
        """
        middle = np.array([rng.normal(0.15, 0.10), -rng.uniform(0.0, 0.30), 1.0])
        middle /= np.linalg.norm(middle)
        along = np.cross([rng.normal(0, 0.1), 1.0, 0.0], middle)
        along /= np.linalg.norm(along)
        length = float(rng.uniform(10.0, min(30.0, 1.1 * femur.radius_mm)))
        return cls(
            middle=middle,
            along=along,
            length_mm=length,
            width_mm=length * float(rng.uniform(0.7, 1.0)),
            depth_mm=float(rng.uniform(3.2, 4.8)),
            slope_mm=float(rng.uniform(-0.4, 0.4)),
            half_mm=float(rng.uniform(0.55, 0.9)),
            rough_mm=float(rng.uniform(0.25, 0.5)),
            rough=Texture.draw(rng, 4.0),
            gaps=Texture.draw(rng, 5.0),
            gap_level=float(rng.uniform(1.2, 2.4)),
            above=float(rng.choice([1.0, 0.6, 0.25], p=[0.525, 0.2, 0.275])),
        )

    @classmethod
    def draw_faint(cls, femur: Femur, rng: np.random.Generator) -> SubchondralLine:
        """Draw the short thin line that a TOH may have: under 12.5 mm long and 4 mm thick.

        Longer or thicker lines point to an irreversible lesion (Vande Berg 1999, Radiology; values recalled).
        """
        length = float(rng.uniform(5.0, 12.0))
        return replace(
            cls.draw(femur, rng),
            length_mm=length,
            width_mm=length * float(rng.uniform(0.7, 1.2)),
            depth_mm=float(rng.uniform(2.6, 4.2)),
            half_mm=float(rng.uniform(0.35, 0.55)),
            gap_level=2.4,
            above=1.0,
        )

    def sheet(self, p: Points, femur: Femur) -> Sheet:
        """Return the line at points of the hip's frame."""
        radius = np.float32(femur.radius_mm - self.depth_mm)
        reach = np.maximum(p.norm(), np.float32(1e-3))
        side = p.along(np.cross(self.middle, self.along)) / reach
        u = radius * np.arctan2(p.along(self.along), p.along(self.middle))
        v = radius * np.arcsin(limit(side, -1, 1))
        ends = np.sqrt(np.square(u / (self.length_mm / 2)) + np.square(v / (self.width_mm / 2)))
        margin = (ends - 1) * np.float32(self.width_mm / 2)
        broken = 2.0 * (self.gaps(p) - np.float32(self.gap_level))
        wanted = self.depth_mm + self.slope_mm * limit(2 * u / self.length_mm, -1, 1)
        wanted = wanted + np.float32(self.rough_mm) * limit(self.rough(p), -1.4, 1.4)
        return Sheet(-femur.head_distance(p) - wanted, np.maximum(margin, broken))

    def quiet(self, p: Points, femur: Femur) -> Field:
        """Return the factor on edema: less than 1 between line and surface where signal is low there."""
        across, beyond = self.sheet(p, femur)
        return 1 - np.float32(1 - self.above) * ramp(across, 0.5, -0.5) * ramp(beyond, 4.0, -2.0)


@dataclass(frozen=True, eq=False)
class NeckLine:
    """The line of a stress fracture: from one wall of the neck inwards, at right angles to the trabeculae.

    Attributes
    ----------
    start : ndarray of float64, shape (3,)
        Where the line leaves the inner face of the cortex, in the middle of the neck's depth.
    inward, normal : ndarray of float64, shape (3,)
        Unit vectors: from `start` to the line's tip, and at right angles to the line.
    length_mm, depth_mm : float
        From cortex to tip, and half of its extent from front to back.
    half_mm, rough_mm : float
        Half its thickness at the cortex; it tapers to a third of that at the tip.
    rough, gaps : Texture
    gap_level : float
        Broken where `gaps` is above this.
    lateral : bool
        On the tension (upper) side; else on the compression (medial) side.
    """

    start: NDArray[np.float64]
    inward: NDArray[np.float64]
    normal: NDArray[np.float64]
    length_mm: float
    depth_mm: float
    half_mm: float
    rough_mm: float
    rough: Texture
    gaps: Texture
    gap_level: float
    lateral: bool

    name = "neck"
    mask = "line_neck"
    tissue = Tissue.SCLEROSIS

    @classmethod
    def draw(cls, femur: Femur, rng: np.random.Generator) -> NeckLine:
        """Draw a line, on the tension side in one of four.

        Length: 40-60 % of the neck's width, about the half at which management changes (JBJS Reviews 2022). Patients
        have 25 (standard deviation 8-11) % (JBJS 2018;100:1496): lines under 10 mm are not drawn, as they are not
        scored. Gaps and taper are the author's estimate.
        """
        neck, lateral = femur.neck, bool(rng.random() < 0.25)
        inward = -neck.up if lateral else neck.up
        tilt = rng.uniform(-0.1, 0.15) if lateral else rng.uniform(0.05, 0.35)
        normal = neck.axis - tilt * neck.up
        normal /= np.linalg.norm(normal)
        inward = inward - (inward @ normal) * normal
        inward /= np.linalg.norm(inward)
        # the neck is shorter above, where the greater trochanter begins
        middle = neck.axis * femur.radius_mm * (rng.uniform(0.98, 1.16) if lateral else rng.uniform(1.12, 1.35))
        wall_mm = _wall(femur, middle, -inward)
        width_mm = wall_mm + _wall(femur, middle, inward)
        return cls(
            start=middle - wall_mm * inward,
            inward=inward,
            normal=normal,
            length_mm=max(10.0, width_mm * float(rng.uniform(0.4, 0.6))),
            depth_mm=float(rng.uniform(7.0, 11.0)),
            half_mm=float(rng.uniform(0.7, 1.1)),
            rough_mm=float(rng.uniform(0.5, 0.9)),
            rough=Texture.draw(rng, 4.5),
            gaps=Texture.draw(rng, 4.5),
            gap_level=float(rng.uniform(1.2, 2.4)),
            lateral=lateral,
        )

    def sheet(self, p: Points, _femur: Femur) -> Sheet:
        """Return the line at points of the hip's frame."""
        q = p.minus(self.start)
        inward, side = q.along(self.inward), q.along(np.cross(self.normal, self.inward))
        tip = np.sqrt(np.square(np.maximum(inward, 0) / self.length_mm) + np.square(side / self.depth_mm))
        behind = -inward - np.float32(4.0)  # ends in the cortex, not on the neck's other side
        margin = np.maximum((tip - 1) * np.float32(min(self.length_mm, self.depth_mm)), behind)
        broken = 2.0 * (self.gaps(p) - np.float32(self.gap_level))
        across = q.along(self.normal) + np.float32(self.rough_mm) * self.rough(p)
        thinner = 1 - np.float32(2 / 3) * limit(tip, 0, 1)
        return Sheet(np.asarray(across / thinner), np.maximum(margin, broken))


def _wall(femur: Femur, origin: NDArray[np.float64], towards: NDArray[np.float64]) -> float:
    """Distance from a point of the marrow to the inner face of the cortex, to 0.1 mm."""
    way = np.arange(0.0, 1.5 * femur.radius_mm, 0.1)
    p = Points.of(origin + way[:, None] * towards)
    return float(way[np.argmax(femur.distance(p) + femur.cortex(p) > 0)])


@dataclass(frozen=True, eq=False)
class NeckEdema:
    """Edema round a line in the neck.

    Attributes
    ----------
    line : NeckLine
    fraction, reach_mm, fade_mm : float
        Edema fraction where it is full; where it has fallen to half; over which half-width it fades.
    patches : Texture
    """

    line: NeckLine
    fraction: float
    reach_mm: float
    fade_mm: float
    patches: Texture

    @classmethod
    def draw(cls, line: NeckLine, rng: np.random.Generator) -> NeckEdema:
        """Draw edema that stays about the neck."""
        reach = float(rng.uniform(10.0, 15.0))
        return cls(
            line, float(rng.uniform(0.7, 0.95)), reach, reach * float(rng.uniform(0.4, 0.6)), Texture.draw(rng, 8.0)
        )

    def less(self, level: float, _radius_mm: float) -> NeckEdema:
        """Return what is left of it at a level 1..0: fainter and smaller."""
        return replace(
            self,
            fraction=self.fraction * level,
            reach_mm=self.reach_mm * (0.4 + 0.6 * level),
            fade_mm=self.fade_mm * (0.4 + 0.6 * level),
        )

    def __call__(self, p: Points, _femur: Femur) -> Field:
        """Edema fraction 0..1 at points."""
        line, patches = self.line, self.patches(p)
        q = p.minus(line.start)
        inward = q.along(line.inward)
        beside = inward - limit(inward, 0, line.length_mm)  # distance to the line's middle, which has an extent
        away = np.sqrt(np.maximum(np.square(q.norm()) - np.square(inward) + np.square(beside), 0))
        ragged = away + np.float32(0.25 * self.reach_mm) * patches
        full = ramp(ragged, self.reach_mm + self.fade_mm, self.reach_mm - self.fade_mm)
        return limit(np.float32(self.fraction) * full * (1 + 0.16 * patches), 0, 1)
