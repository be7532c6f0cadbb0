"""Everything that does not belong to one hip: skin and fat, pelvic organs, spine, vessels. In LPS mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toh_mri.phantom.noise import Texture, Warp
from toh_mri.phantom.person import Person
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import Node, chain, cut, ellipsoid, ramp, union

# Courses of the external iliac and femoral vessels, in the frame of a hip.
ARTERY: tuple[Node, ...] = (
    (-62, 10, 130, 4.3),
    (-50, -20, 60, 4.3),
    (-24, -50, 20, 4.3),
    (-14, -58, -30, 4.0),
    (-16, -50, -90, 3.6),
    (-22, -38, -220, 3.3),
)
VEIN: tuple[Node, ...] = tuple((x - 10.5, y + 3.0, z, 1.25 * r) for x, y, z, r in ARTERY)


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop of bowel: its course, and what fills it (0 gas, 1 pulp, 2 fluid)."""

    course: tuple[Node, ...]
    filling: int


@dataclass(frozen=True, eq=False)
class Body:
    """Trunk and thighs, pelvic cavity and what fills it.

    Attributes
    ----------
    half_width_mm, half_depth_mm : float
        Of the trunk at the height of the hips.
    thigh_x_mm : float
        Distance of the thighs' axes from the midline.
    fat_mm : float
        Subcutaneous fat over the greater trochanter.
    bladder : tuple
        Centre and radii in mm.
    loops : tuple of Loop
    warp : Warp
    lobules, fat_texture : Texture
        Where septa part the subcutaneous fat (zero crossings); unevenness of the deep fat.
    """

    half_width_mm: float
    half_depth_mm: float
    thigh_x_mm: float
    fat_mm: float
    bladder: tuple[tuple[float, float, float], tuple[float, float, float]]
    loops: tuple[Loop, ...]
    warp: Warp
    lobules: Texture
    fat_texture: Texture

    @classmethod
    def draw(cls, person: Person, rng: np.random.Generator) -> Body:
        """Draw the body of a person."""
        hip = person.hip_distance_mm / 2
        k = person.head_diameter_mm / 48.0
        muscles = max(62.0 * k + 6.0, person.offset_mm + 24.0 * k + 2.0)  # they cover the greater trochanter
        fullness = rng.uniform(0.7, 1.25)
        return cls(
            half_width_mm=hip + muscles + person.fat_mm,
            half_depth_mm=96.0 + 0.7 * person.fat_mm,
            thigh_x_mm=hip + 4.0,
            fat_mm=person.fat_mm,
            bladder=(
                (float(rng.normal(0, 3)), -20.0, 12.0 + 8.0 * fullness),
                (40.0 * fullness, 34.0 * fullness, 27.0 * fullness),
            ),
            loops=tuple(_loop(rng) for _ in range(34)),
            warp=Warp.draw(rng, 3.0, 120.0),
            lobules=Texture.draw(rng, (16.0, 16.0, 9.0)),
            fat_texture=Texture.draw(rng, (7.0, 7.0, 7.0)),
        )

    def skin(self, p: Points) -> Field:
        """Signed distance to the skin."""
        q = self.warp(p)
        wide = np.float32(self.half_width_mm) * (1 - 0.10 * ramp(q.z, 20.0, 130.0))
        deep = np.float32(self.half_depth_mm)
        reach = np.sqrt(np.square(q.x / wide) + np.square((q.y - 8.0) / deep))
        trunk = (reach - 1) * deep
        thigh_radius = self.half_width_mm - self.thigh_x_mm
        lean = np.abs(q.x) - np.float32(self.thigh_x_mm) - 0.06 * q.z
        round_ = np.sqrt(np.square(lean / (thigh_radius + 3.0)) + np.square((q.y - 2.0) / (thigh_radius + 12.0)))
        thigh = (round_ - 1) * np.float32(thigh_radius)
        crotch = -66.0 - 0.25 * self.fat_mm
        return union(cut(trunk, np.float32(crotch) - q.z, 30.0), thigh, 16.0)

    def fascia(self, p: Points, skin: Field) -> Field:
        """Signed distance to the deep fascia: the skin moved in by the thickness of fat."""
        lateral = ramp(np.abs(p.x), 40.0, 130.0)
        behind = ramp(p.y, 10.0, 70.0)
        depth = self.fat_mm * (0.62 + 0.38 * lateral + 0.35 * behind) * (1 - 0.25 * ramp(p.z, -60.0, -140.0))
        return np.asarray(skin + depth)

    def bladder_distance(self, p: Points) -> Field:
        """Signed distance to the outer face of the bladder."""
        return ellipsoid(self.warp(p), *self.bladder)

    def bowel(self, p: Points, filling: int) -> Field:
        """Signed distance to all loops with one filling."""
        q = self.warp(p)
        distance = np.full(q.x.shape, 50.0, dtype=np.float32)
        for loop in self.loops:
            if loop.filling == filling:
                distance = np.minimum(distance, chain(q, loop.course))
        return distance

    def vertebrae(self, p: Points) -> Field:
        """Signed distance to the last lumbar vertebrae and the sacrum."""
        bodies = [
            cut(
                (np.sqrt(np.square(p.x / 27.0) + np.square((p.y - y) / 19.0)) - 1) * 19.0,
                np.abs(p.z - z) - np.float32(13.5),
                4.0,
            )
            for y, z in ((18.0, 158.0), (20.0, 120.0))
        ]
        sacrum = chain(p, [(0, 38, 90, 20), (0, 62, 64, 24), (0, 82, 34, 16), (0, 86, 4, 6)])
        wings = chain(p, [(-40, 62, 80, 17), (40, 62, 80, 17)])
        return np.asarray(np.minimum.reduce([*bodies, union(sacrum, wings, 8.0)]))

    def discs(self, p: Points) -> Field:
        """Signed distance to the discs between the vertebrae, and the symphysis."""
        column = (np.sqrt(np.square(p.x / 27.0) + np.square((p.y - 20.0) / 19.0)) - 1) * 19.0
        return cut(column, np.abs(p.z - 122.0) - np.float32(32.0), 2.0)


def _loop(rng: np.random.Generator) -> Loop:
    """Draw a bent piece of bowel in the pelvis above the bladder."""
    at = np.array([rng.uniform(-66, 66), rng.uniform(-60, 30), rng.uniform(46, 175)])
    at[0] *= 0.5 + 0.5 * (at[2] - 40) / 135.0
    radius = rng.uniform(7.0, 14.0)
    nodes = []
    direction = rng.standard_normal(3)
    for _ in range(5):
        x, y, z = map(float, at)
        nodes.append((x, y, z, float(radius * rng.uniform(0.8, 1.15))))
        direction = 0.6 * direction / np.linalg.norm(direction) + 0.5 * rng.standard_normal(3)
        at = at + direction / np.linalg.norm(direction) * rng.uniform(12.0, 20.0)
        at[2] = max(at[2], 46.0)
    return Loop(tuple(nodes), int(rng.choice(3, p=[0.12, 0.68, 0.20])))
