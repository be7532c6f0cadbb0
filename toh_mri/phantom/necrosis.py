"""Osteonecrosis: a geographic lesion under the joint surface, its band, and the crescent under the plate above it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.anatomy.femur import Femur
from toh_mri.phantom.fracture import Sheet
from toh_mri.phantom.noise import Texture
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import Node, chain, cut, limit, node
from toh_mri.phantom.tissues import Tissue


class Filling(StrEnum):
    """What the middle of a lesion is made of, besides mummified fat."""

    FAT = "fat"
    MIXED = "mixed"
    FLUID = "fluid"


@dataclass(frozen=True, eq=False)
class Necrosis:
    """A geographic lesion under the joint surface, bounded by a serpiginous band.

    Attributes
    ----------
    direction : ndarray of float64, shape (3,)
        Unit vector from the head's centre to the lesion's middle.
    share : float
        0..1, the part of the head that it takes.
    core : tuple of node
        Chain of balls along the joint surface whose union is the lesion.
    neck_axis : ndarray of float64, shape (3,)
    within_mm : float
        Where the lesion ends at the latest, from the head's centre along the neck: it does not leave the head.
    wrinkles : Texture
    wrinkle_mm : float
        Makes the band serpiginous.
    band_mm, granulation_mm : float
        Thickness of the dark outer line, and of the line of granulation tissue inside it: 0 where there is none.
    filling : Filling
    mixed : float
        0..1, share of the lesion's centre that is no longer fat.
    patches : Texture
    around : float
        Edema fraction just outside the band.
    around_mm : float
        Distance over which it fades.
    """

    direction: NDArray[np.float64]
    share: float
    core: tuple[Node, ...]
    neck_axis: NDArray[np.float64]
    within_mm: float
    wrinkles: Texture
    wrinkle_mm: float
    band_mm: float
    granulation_mm: float
    filling: Filling
    mixed: float
    patches: Texture
    around: float
    around_mm: float

    def distance(self, p: Points) -> Field:
        """Signed distance to the band's outer edge, negative in the lesion; not limited to bone."""
        return np.asarray(self._smooth(p) + np.float32(self.wrinkle_mm) * self.wrinkles(p))

    def _smooth(self, p: Points) -> Field:
        return cut(chain(p, self.core), p.along(self.neck_axis) - np.float32(self.within_mm), 3.0)

    def edema(self, p: Points) -> Field:
        """Edema fraction around the lesion."""
        beyond = np.maximum(self._smooth(p), 0)
        fraction = np.float32(self.around) * np.exp(-beyond / np.float32(self.around_mm))
        return limit(fraction * (1 + 0.3 * self.patches(p)), 0, 1)

    def interior(self, p: Points) -> Field:
        """0..1: how far the lesion's inside is other than mummified fat."""
        return limit(np.float32(self.mixed) * (1 + self.patches(p)), 0, 1)

    @property
    def other_tissue(self) -> Tissue:
        """What is in the middle where it is not fat."""
        return Tissue.GRANULATION if self.filling is Filling.FLUID else Tissue.DEBRIS


@dataclass(frozen=True, eq=False)
class Crescent:
    """The subchondral fracture of a necrosis: a thin line under the plate over the lesion.

    Attributes
    ----------
    necrosis : Necrosis
    depth_mm : float
        Of its middle, under the bone's surface.
    half_mm : float
        Half its thickness.
    angle : float
        Radians from the lesion's middle to its margin, where the lesion reaches that far.
    fluid : bool
        Filled with fluid, bright on fluid-sensitive images; else dark.
    length_mm : float
        The longest way along it, measured on the arc that it follows.
    """

    necrosis: Necrosis
    depth_mm: float
    half_mm: float
    angle: float
    fluid: bool
    length_mm: float

    name = "crescent"
    mask = "line_subchondral"

    @property
    def tissue(self) -> Tissue:
        """What it is filled with."""
        return Tissue.FLUID if self.fluid else Tissue.CORTEX

    @classmethod
    def draw(cls, necrosis: Necrosis, femur: Femur, rng: np.random.Generator) -> Crescent:
        """Draw a crescent within 3 mm of the surface; its thickness and extent are the author's estimate."""
        depth, half = float(rng.uniform(1.5, 2.3)), float(rng.uniform(0.45, 0.75))
        angle, fluid = float(rng.uniform(0.25, 0.60)), bool(rng.random() < 0.6)
        return cls(necrosis, depth, half, angle, fluid, _length_over(necrosis, femur.radius_mm - depth, angle))

    def sheet(self, p: Points, femur: Femur) -> Sheet:
        """Return the line at points of the hip's frame."""
        cosine = p.along(self.necrosis.direction) / np.maximum(p.norm(), np.float32(1e-3))
        from_middle = np.arccos(limit(cosine, -1, 1)) - np.float32(self.angle)
        within = self.necrosis.distance(p) + np.float32(_MARGIN_MM)
        return Sheet(
            -femur.head_distance(p) - np.float32(self.depth_mm),
            np.maximum(from_middle * np.float32(femur.radius_mm), within),
        )


_END = 0.72  # of the head's radius, along the neck: a lesion ends before the head does
_MARGIN_MM = 2.0  # a crescent ends before the band


def draw_necrosis(femur: Femur, share: float, rng: np.random.Generator) -> Necrosis:
    """Draw a lesion of a share of the head, without edema around it.

    It may lie under any part of the upper front of the head, from its medial to its lateral third: types A to C2 of
    Kuroda 2019 (PMC6825048). The centre is fat in 50 %, mixed in 35 %, like fluid in 15 %, and the line of
    granulation tissue (the double line) is seen in 75 %: the author's estimates.
    """
    wrinkles, wrinkle = Texture.draw(rng, 7.5), float(rng.uniform(0.7, 1.1)) * (0.6 if share < 0.1 else 1.0)
    lateral, front = np.radians(rng.uniform(-32.0, 38.0)), np.radians(rng.uniform(8.0, 50.0))
    middle = _unit(np.array([np.sin(lateral), -np.cos(lateral) * np.sin(front), np.cos(lateral) * np.cos(front)]))
    turn = rng.uniform(0, np.pi)
    first = _unit(np.cross(middle, [0.3, 1.0, 0.5]))
    along = np.cos(turn) * first + np.sin(turn) * np.cross(middle, first)
    spread = rng.uniform(0.25, 0.45) * min(1.0, (share / 0.3) ** (1 / 3))
    size, depth = rng.uniform(0.85, 1.15, 3), rng.uniform(0.95, 1.2)
    places = [_unit(middle + shift * along) * femur.radius_mm * depth for shift in (-spread, 0.0, spread)]
    filling = Filling(rng.choice([*Filling], p=[0.50, 0.35, 0.15]))
    mixed = {Filling.FAT: (0.0, 0.2), Filling.MIXED: (0.35, 0.7), Filling.FLUID: (0.6, 0.9)}[filling]
    return Necrosis(
        direction=middle,
        share=share,
        core=_sized_core(femur, places, size, share),
        neck_axis=femur.neck.axis,
        within_mm=_END * femur.radius_mm,
        wrinkles=wrinkles,
        wrinkle_mm=wrinkle,
        band_mm=float(rng.uniform(1.3, 1.9)),
        granulation_mm=float(rng.uniform(1.2, 1.8)) if rng.random() < 0.75 else 0.0,
        filling=filling,
        mixed=float(rng.uniform(*mixed)),
        patches=Texture.draw(rng, 6.0),
        around=0.0,
        around_mm=1.0,
    )


def _sized_core(
    femur: Femur, places: list[NDArray[np.float64]], size: NDArray[np.float64], share: float
) -> tuple[Node, ...]:
    """Find the radius at which the lesion takes the given share of the head, to 0.05 mm."""
    r = femur.radius_mm
    axis = np.arange(-r, r + 1, 1.5)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    head = points[(np.linalg.norm(points, axis=1) < r) & (points @ femur.neck.axis < 0.82 * r)]
    could = Points.of(head[head @ femur.neck.axis < _END * r])
    share *= len(head) / len(could.x)
    low, high = 0.1 * r, 2.0 * r
    while high - low > 0.05:
        middle = (low + high) / 2
        taken = float((chain(could, _nodes(places, size, middle)) < 0).mean())
        low, high = (middle, high) if taken < share else (low, middle)
    return _nodes(places, size, low)


def _nodes(places: list[NDArray[np.float64]], size: NDArray[np.float64], radius: float) -> tuple[Node, ...]:
    return tuple(node(place, radius * k) for place, k in zip(places, size, strict=True))


def _length_over(necrosis: Necrosis, radius_mm: float, angle: float) -> float:
    """Measure the longest way over the lesion's middle on a sphere, within an angle and the lesion's margin."""
    first = _unit(np.cross(necrosis.direction, [0.3, 1.0, 0.5]))
    second = np.cross(necrosis.direction, first)
    step = np.linspace(-angle, angle, 121)
    ways = [np.cos(turn) * first + np.sin(turn) * second for turn in np.linspace(0, np.pi, 12, endpoint=False)]
    arcs = [radius_mm * (np.cos(step)[:, None] * necrosis.direction + np.sin(step)[:, None] * way) for way in ways]
    inside = necrosis.distance(Points.of(np.stack(arcs))) < -_MARGIN_MM
    return float(inside.sum(axis=1).max() * radius_mm * (step[1] - step[0]))


def _unit(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(v / np.linalg.norm(v))
