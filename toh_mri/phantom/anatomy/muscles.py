"""Muscles of one side, in the frame of its hip: bundles that share the room between bones and skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toh_mri.kernels import fields
from toh_mri.phantom.noise import Texture, Warp
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import Node, cones, limit, ramp

# Course of each muscle: x (lateral), y (back), z (up), radius; mm from the head's centre for a head of radius
# 24 mm. Placed by the author from an anatomy atlas; radii are generous, because neighbours share the room
# between them.
COURSES: dict[str, tuple[tuple[Node, ...], ...]] = {
    "gluteus_medius": (
        ((52, 0, 92, 8), (58, 0, 60, 18), (63, 4, 22, 13), (64, 8, -10, 5)),
        ((30, 48, 80, 14), (46, 36, 45, 16), (60, 16, 0, 8)),
    ),
    "gluteus_minimus": (((24, -8, 76, 5), (30, -8, 46, 13), (42, -12, 22, 10), (57, -10, -6, 4)),),
    "gluteus_maximus": (
        ((-40, 92, 60, 18), (0, 84, 30, 26), (40, 62, -16, 22), (62, 34, -62, 9)),
        ((-40, 88, 10, 22), (0, 80, -25, 26), (45, 50, -50, 16)),
    ),
    "tensor_fasciae_latae": (((44, -54, 72, 9), (62, -44, 20, 14), (72, -26, -40, 10), (76, -10, -80, 3)),),
    "iliacus": (((10, -4, 96, 12), (-2, -14, 66, 18), (-8, -28, 36, 14), (0, -36, 4, 12)),),
    "psoas": (
        ((-50, 0, 150, 20), (-44, -6, 110, 20), (-28, -18, 64, 16), (-14, -32, 28, 11), (-4, -35, -8, 11)),
        ((-4, -35, -8, 11), (6, -26, -34, 10), (18, 6, -60, 6)),
    ),
    "rectus_femoris": (((12, -42, 28, 4), (22, -54, -10, 10), (34, -54, -80, 16), (34, -54, -200, 19)),),
    "sartorius": (((36, -64, 66, 6), (14, -66, 0, 8), (-14, -64, -70, 10), (-36, -56, -200, 10)),),
    "vastus_lateralis": (((58, -6, -46, 8), (62, -12, -84, 18), (58, -8, -140, 25), (54, -8, -240, 26)),),
    "vastus_intermedius": (((36, -24, -58, 9), (32, -26, -100, 16), (28, -26, -240, 18)),),
    "vastus_medialis": (((16, -8, -80, 6), (8, -22, -130, 15), (2, -24, -240, 20)),),
    "pectineus": (((-52, -44, -16, 10), (-22, -32, -42, 13), (10, -2, -76, 8)),),
    "adductor_longus": (((-78, -42, -46, 6), (-46, -36, -92, 15), (-14, -12, -150, 14)),),
    "adductor_brevis": (((-72, -26, -56, 8), (-36, -12, -84, 16), (8, 4, -120, 10)),),
    "adductor_magnus": (((-48, 8, -76, 13), (-28, 20, -122, 26), (-8, 24, -240, 26)),),
    "gracilis": (((-84, -28, -62, 5), (-78, -6, -120, 8), (-68, 6, -240, 9)),),
    "obturator_externus": (((-62, -18, -46, 10), (-34, 4, -38, 13), (2, 24, -26, 8), (38, 20, -14, 4)),),
    "obturator_internus": (
        (
            (-58, -26, -24, 9),
            (-46, 4, 2, 9),
            (-44, 34, 2, 8),
            (-30, 50, -4, 7),
            (10, 34, -4, 5),
            (42, 18, -4, 3),
        ),
        ((-58, -12, -40, 8), (-50, 14, -28, 9), (-42, 36, -10, 8)),
        ((-40, 0, 34, 7), (-46, 6, 6, 9)),
    ),
    "quadratus_femoris": (((-14, 36, -52, 9), (36, 26, -46, 9)),),
    "hamstrings": (((-18, 50, -64, 8), (2, 48, -120, 19), (6, 40, -240, 26)),),
    "piriformis": (((-64, 64, 56, 12), (-14, 50, 26, 11), (26, 30, 8, 6), (46, 14, 2, 3)),),
}


@dataclass(frozen=True, eq=False)
class Muscles:
    """The muscles of one side.

    Attributes
    ----------
    scale, bulk : float
        Size of the skeleton against a head of radius 24 mm; factor on the muscles' thickness.
    warp : Warp
        Makes courses and outlines irregular.
    gap_mm : float
        Mean thickness of the fat planes between neighbours.
    gap_texture, streaks : Texture
        Where fat planes widen; fat between the bundles of fibres.
    vessels : tuple of courses
        Small vessels between the muscles.
    """

    scale: float
    bulk: float
    warp: Warp
    gap_mm: float
    gap_texture: Texture
    streaks: Texture
    vessels: tuple[tuple[Node, ...], ...]

    @classmethod
    def draw(cls, scale: float, bulk: float, rng: np.random.Generator) -> Muscles:
        """Draw one side's muscles."""
        return cls(
            scale=scale,
            bulk=bulk,
            warp=Warp.draw(rng, 2.2, 55.0),
            gap_mm=float(rng.uniform(1.0, 1.7)),
            gap_texture=Texture.draw(rng, (14.0, 14.0, 26.0)),
            streaks=Texture.draw(rng, (3.0, 5.0, 26.0)),
            vessels=tuple(_vessel(rng) for _ in range(12)),
        )

    def distance(self, p: Points) -> Field:
        """Signed distance to muscle: negative inside any, positive in the fat planes between neighbours."""
        bellies = [np.vstack([cones(self._sized(course)) for course in courses]) for courses in COURSES.values()]
        ends = np.cumsum([len(belly) for belly in bellies])
        nearest = fields.two_nearest(*self.warp(p).flat(), np.vstack(bellies), ends)
        first, second = (distance.reshape(p.shape) for distance in nearest)
        uneven = self.gap_texture(p)
        gap = np.maximum(np.float32(self.gap_mm) * (1 + 0.9 * uneven), np.float32(0.25))
        reach = self.bulk * (4.5 + 7.5 * ramp(p.x, -45.0, 15.0) + 2.0 * uneven)
        return np.asarray(np.maximum(first - reach, 0.5 * (gap - (second - first))))

    def fat_between_fibres(self, p: Points) -> Field:
        """Fraction of fat in muscle, 0..1."""
        return limit(0.25 * (self.streaks(p) - 1.0), 0.03, 0.75)

    def _sized(self, course: tuple[Node, ...]) -> list[Node]:
        k = self.scale
        return [(x * k, y * k, z * k, r * k * self.bulk) for x, y, z, r in course]


def _vessel(rng: np.random.Generator) -> tuple[Node, ...]:
    """Draw a winding small vessel somewhere between pelvis and skin."""
    at = np.array([rng.uniform(-25, 55), rng.uniform(-48, 60), rng.uniform(-80, 90)])
    radius = float(rng.uniform(0.8, 1.6))
    heading = rng.standard_normal(3)
    nodes = []
    for _ in range(5):
        x, y, z = map(float, at)
        nodes.append((x, y, z, radius))
        heading = heading / np.linalg.norm(heading) + 0.7 * rng.standard_normal(3)
        at = at + heading / np.linalg.norm(heading) * 13.0
    return tuple(nodes)
