"""One half of the pelvis, in the frame of its hip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.person import Person, Shape, within
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import Node, chain, cut, polygon, ramp, union

# Landmarks the iliac wing passes through: x (lateral), y (back), z (up) from the head's centre, in mm, for a
# head of radius 24 mm: roof, anterior inferior and superior spines, crest, posterior superior spine, sciatic
# notch.
_WING = np.array(
    [
        (-7.0, 2.0, 34.0),
        (9.0, -38.0, 33.0),
        (28.0, -50.0, 75.0),
        (24.0, 5.0, 112.0),
        (-46.0, 85.0, 66.0),
        (-30.0, 42.0, 36.0),
    ]
)
# Outline of the wing seen from the side (y, z).
_OUTLINE = np.array(
    [
        *((-36, 26), (-40, 40), (-43, 58), (-52, 76), (-38, 98), (4, 113), (46, 104)),
        *((84, 70), (70, 50), (46, 42), (34, 32), (26, 10), (-20, 6)),
    ],
    dtype=float,
)

_INCLINATION_DEGREE = 42.0
_DYSPLASTIC_INCLINATION_DEGREE = 45.0  # of a dysplastic socket (author's choice)
_LEAST_SPACE_MM = 1.05  # between the bones, however worn the joint is: bones do not enter each other


@dataclass(frozen=True, eq=False)
class Pelvis:
    """Ilium, pubis and ischium of one side, with the socket.

    Attributes
    ----------
    scale : float
        Size against a head of radius 24 mm.
    opening : ndarray of float64, shape (3,)
        Unit normal of the socket's rim, pointing out of the socket.
    rim_mm : float
        Distance of the rim's plane from the head's centre along `opening`.
    socket_mm : float
        Radius of the bony socket where it carries cartilage.
    fossa : ndarray of float64, shape (3,)
        How far the acetabular fossa's floor is set back, in mm.
    sheet : ndarray of float64, shape (6,)
        Coefficients of 1, y, z, y^2, y z, z^2 of the wing's middle surface x(y, z).
    midline_mm : float
        Distance of the head's centre from the body's midline.
    """

    scale: float
    opening: NDArray[np.float64]
    rim_mm: float
    socket_mm: float
    fossa: NDArray[np.float64]
    sheet: NDArray[np.float64]
    midline_mm: float

    @classmethod
    def draw(cls, person: Person, head_radius_mm: float, rng: np.random.Generator) -> Pelvis:
        """Draw one side's half pelvis of a person."""
        steep = person.shape is Shape.DYSPLASIA
        inclination = np.radians(within(rng, _DYSPLASTIC_INCLINATION_DEGREE if steep else _INCLINATION_DEGREE, 2.5))
        anteversion = np.radians(within(rng, 18.8, 4.0))  # mean: Jiang 2015, PMC4616413
        opening = np.array([np.sin(inclination), -np.sin(anteversion) * 0.8, -np.cos(inclination)])
        opening /= np.linalg.norm(opening)
        socket = head_radius_mm + max(person.joint_space_mm - 0.4, _LEAST_SPACE_MM)
        edge = np.radians(person.centre_edge_angle_degree + within(rng, 0.0, 1.5))
        scale = head_radius_mm / 24.0
        y, z = _WING[:, 1], _WING[:, 2]
        terms = np.stack([np.ones_like(y), y, z, y * y, y * z, z * z], axis=1)
        return cls(
            scale=scale,
            opening=opening,
            rim_mm=socket * float(opening[0] * np.sin(edge) + opening[2] * np.cos(edge)),
            socket_mm=socket,
            fossa=np.array([-3.6, 0.6, -2.6]) * within(rng, 1.0, 0.1),
            sheet=np.linalg.solve(terms, _WING[:, 0] + rng.normal(0, 1.0, len(_WING))),
            midline_mm=person.hip_distance_mm / 2,
        )

    def distance(self, p: Points) -> Field:
        """Signed distance to the outer face of the cortex."""
        bone = union(self._cup(p), self._wing(p), 9.0)
        bone = cut(bone, self.beyond_rim(p), 2.0)  # the fillet of the two would reach over the rim
        bone = union(bone, self._rami(p), 7.0)
        return cut(bone, -self.socket_distance(p), 1.0)

    def socket_distance(self, p: Points) -> Field:
        """Signed distance to the space inside the bony socket, fossa included."""
        return np.asarray(np.minimum(p.norm() - np.float32(self.socket_mm), self.fossa_distance(p)))

    def fossa_distance(self, p: Points) -> Field:
        """Signed distance to the ball whose part beyond the socket is the acetabular fossa."""
        return np.asarray(p.minus(self.fossa).norm() - np.float32(self.socket_mm - 0.8))

    def lunate_distance(self, p: Points) -> Field:
        """Signed distance to the part of the socket that carries cartilage: all of it but the fossa."""
        fossa = cut(self.fossa_distance(p), p.along((0.25, 0.0, 0.97)) + np.float32(0.2 * self.socket_mm))
        return np.asarray(np.maximum(p.norm() - np.float32(self.socket_mm), -fossa))

    def beyond_rim(self, p: Points) -> Field:
        """Distance outside the plane of the rim, negative inside the socket."""
        return np.asarray(p.along(self.opening) - np.float32(self.rim_mm))

    def _cup(self, p: Points) -> Field:
        wall = p.minus(-3.0 * self.opening).norm() - np.float32(self.socket_mm + 5.0)
        return cut(wall, self.beyond_rim(p), 4.0)

    def _wing(self, p: Points) -> Field:
        k = np.float32(self.scale)
        x, y, z = p.x / k, p.y / k, p.z / k
        c = self.sheet.astype(np.float32)
        middle = c[0] + c[1] * y + c[2] * z + c[3] * y * y + c[4] * y * z + c[5] * z * z
        slope = np.sqrt(1 + np.square(c[1] + 2 * c[3] * y + c[4] * z) + np.square(c[2] + c[4] * y + 2 * c[5] * z))
        outline = polygon(y, z, _OUTLINE)
        half = 2.6 + 2.4 * ramp(outline, -16.0, -2.0) + 9.5 * ramp(z, 62.0, 28.0) * ramp(np.abs(y), 34.0, 14.0)
        plate = np.abs(x - middle) / slope - half
        lateral = np.maximum(plate, self.beyond_rim(p) / k)
        return k * cut(lateral, outline, 5.0)

    def _rami(self, p: Points) -> Field:
        middle = -self.midline_mm / self.scale  # the pubic bones of both sides must meet there
        symphysis: list[Node] = [(middle + 11, -46, -22, 9.5), (middle + 11, -40, -40, 8)]
        pubis = self._chain(p, (-20, -20, -4, 10), (-44, -38, -6, 8), (-66, -46, -15, 8.5), *symphysis)
        ischium = self._chain(p, (-16, 18, -8, 13), (-22, 30, -34, 12), (-20, 34, -60, 15))
        lower = self._chain(p, (-24, 26, -70, 8), (-48, -2, -66, 5.5), (middle + 12, -36, -46, 6))
        spine = self._chain(p, (-26, 30, 6, 10), (-44, 44, -10, 3))
        return union(union(union(pubis, lower, 5.0), ischium, 6.0), spine, 6.0)

    def _chain(self, p: Points, *nodes: Node) -> Field:
        k = self.scale
        return chain(p, [(x * k, y * k, z * k, r * k) for x, y, z, r in nodes])
