"""The proximal femur, in the frame of its hip."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toh_mri.phantom.person import Person, within
from toh_mri.phantom.points import Field, Points
from toh_mri.phantom.shapes import Node, Tube, chain, limit, node, ramp, union

_SHAFT_TILT_DEGREE = 6.0  # the shaft's lower end leans to the midline

# Half-widths in head radii at distances (in head radii) from the head's centre along the neck. The waist,
# about 0.65 radii high, follows the ratio of neck to head radius of Jamali 2011 (CORR); the flare below it
# makes the wall concave.
_NECK_AT = (0.50, 0.85, 1.15, 1.45, 1.80, 2.20, 2.60)
_NECK_HALF_HEIGHT = (0.78, 0.655, 0.635, 0.72, 0.92, 1.05, 1.05)
_NECK_HALF_DEPTH = (0.70, 0.575, 0.53, 0.54, 0.59, 0.63, 0.60)

# Half-widths in mm (for a head of radius 24 mm) at distances from the neck's foot down the shaft.
_SHAFT_AT = (-16.0, -4.0, 10.0, 25.0, 42.0, 62.0, 95.0, 260.0)
_SHAFT_HALF_WIDTH = (15.0, 20.0, 21.0, 19.0, 16.6, 15.0, 14.2, 14.0)
_SHAFT_HALF_DEPTH = (13.0, 16.0, 17.0, 17.0, 16.0, 15.0, 14.4, 14.2)
_SHAFT_SHIFT = (2.0, 2.5, 2.0, 0.5, -0.5, 0.0, 0.0, 0.0)


_STEP_MM = 1.6  # width of the step at the margin of a collapsed segment
_SPUR_BLEND_MM, _CAM_BLEND_MM = 2.0, 5.0


@dataclass(frozen=True, eq=False)
class Depression:
    """A collapsed segment: a disc of the head's surface pushed in, with a step all around.

    Attributes
    ----------
    direction : ndarray of float64, shape (3,)
        Unit vector from the head's centre to the middle of the disc.
    radius_mm : float
        Of the disc, along the surface, to the middle of the step.
    depth_mm : float
        How far the floor lies below the surface, the same all over it.
    """

    direction: NDArray[np.float64]
    radius_mm: float
    depth_mm: float

    def depth(self, p: Points, head_radius_mm: float) -> Field:
        """How far the surface is pushed in, in mm, in the direction of each point."""
        cosine = p.along(self.direction) / np.maximum(p.norm(), np.float32(1e-3))
        arc = np.float32(head_radius_mm) * np.arccos(limit(cosine, -1.0, 1.0))
        inside = ramp(arc, self.radius_mm + _STEP_MM / 2, self.radius_mm - _STEP_MM / 2)
        return np.asarray(np.float32(self.depth_mm) * inside)


@dataclass(frozen=True, eq=False)
class Femur:
    """A femur: size, directions and the wall thickness of its cortex.

    Attributes
    ----------
    radius_mm : float
        Mean radius of the head's outer surface.
    asphericity_mm : ndarray of float64, shape (3, 3)
        Symmetric, trace 0: how far the head's surface leaves the sphere in each direction.
    neck, shaft : Tube
    fovea : ndarray of float64, shape (3,)
        Unit vector from the head's centre.
    front_back : ndarray of float64, shape (3,)
        Unit vector to the back of the femur as a whole (of its condyles); the neck is turned against it by its
        version.
    greater_trochanter, lesser_trochanter : tuple of node
        Nodes of the apophyses' chains.
    plate_mm, neck_cortex_mm, calcar_mm, shaft_cortex_mm : float
        Thickness of the head's subchondral plate, and what neck, calcar and shaft add to it.
    cam : tuple of node
        Chain of a bump at the head-neck junction; empty without one.
    depression : Depression or None
        A collapsed segment of the head.
    osteophytes : tuple of node
        Balls at the margin of the head; empty without them.
    """

    radius_mm: float
    asphericity_mm: NDArray[np.float64]
    neck: Tube
    shaft: Tube
    fovea: NDArray[np.float64]
    front_back: NDArray[np.float64]
    greater_trochanter: tuple[Node, ...]
    lesser_trochanter: tuple[Node, ...]
    plate_mm: float
    neck_cortex_mm: float
    calcar_mm: float
    shaft_cortex_mm: float
    cam: tuple[Node, ...] = ()
    depression: Depression | None = None
    osteophytes: tuple[Node, ...] = ()

    @classmethod
    def draw(cls, person: Person, rng: np.random.Generator) -> Femur:
        """Draw one side's femur of a person."""
        radius = person.head_diameter_mm / 2 * within(rng, 1.0, 0.006)
        angle = np.radians(person.neck_shaft_angle_degree + within(rng, 0.0, 1.0))
        tilt = np.radians(_SHAFT_TILT_DEGREE + within(rng, 0.0, 1.0))
        version = np.radians(person.version_degree + within(rng, 0.0, 1.5))
        inwards = np.radians(rng.uniform(2.0, 10.0))  # rotation of the leg
        frame = _turned(version - inwards)
        down = frame @ [-np.sin(tilt), 0.0, -np.cos(tilt)]
        outward = frame @ [np.cos(tilt), 0.0, -np.sin(tilt)]
        back = frame @ [0.0, 1.0, 0.0]
        axis = np.sin(angle) * outward - np.cos(angle) * down
        up = np.cross(axis, back)
        foot = axis * person.offset_mm / np.sin(angle)
        scale = radius / 24.0
        return cls(
            radius_mm=radius,
            asphericity_mm=_asphericity(rng),
            neck=_neck(axis, up, back, radius, rng),
            shaft=_shaft(foot, down, outward, back, scale, rng),
            fovea=_unit(frame @ [-0.86, 0.22, -0.40] + rng.normal(0, 0.06, 3)),
            front_back=_turned(-inwards) @ [0.0, 1.0, 0.0],
            greater_trochanter=_greater_trochanter(foot, frame, scale, rng),
            lesser_trochanter=_lesser_trochanter(foot, down, outward, back, scale),
            plate_mm=float(rng.uniform(0.6, 0.9)),
            neck_cortex_mm=float(rng.uniform(0.5, 0.9)),
            calcar_mm=float(rng.uniform(1.8, 3.0)),
            shaft_cortex_mm=float(rng.uniform(4.0, 5.2)),
            cam=_cam(axis, up, back, radius, person.cam_mm, rng) if person.cam_mm else (),
        )

    def depressed(self, depression: Depression) -> Femur:
        """Return this femur with a collapsed segment."""
        return replace(self, depression=depression)

    def with_osteophytes(self, nodes: tuple[Node, ...]) -> Femur:
        """Return this femur with osteophytes: balls that melt into the bone."""
        return replace(self, osteophytes=nodes)

    def distance(self, p: Points) -> Field:
        """Signed distance to the outer face of cortex and subchondral plate."""
        scale = self.radius_mm / 24.0
        body = union(self.trunk_distance(p), chain(p, self.lesser_trochanter), 7.0 * scale)
        if self.depression is not None:
            body = body + self._pushed_in(p)  # else the neck would stand out of a collapsed head
        bone = union(self.head_distance(p), body, 2.5 * scale)
        if self.cam:
            bone = union(bone, chain(p, self.cam), _CAM_BLEND_MM * scale)
        if self.osteophytes:
            balls = [p.minus(ball[:3]).norm() - np.float32(ball[3]) for ball in self.osteophytes]
            bone = union(bone, np.minimum.reduce(balls), _SPUR_BLEND_MM)
        return bone

    def trunk_distance(self, p: Points) -> Field:
        """Signed distance to neck, shaft and greater trochanter."""
        scale = self.radius_mm / 24.0
        trunk = union(self.neck.distance(p), self.shaft.distance(p), 9.0 * scale)
        return union(trunk, chain(p, self.greater_trochanter), 7.0 * scale)

    def head_distance(self, p: Points) -> Field:
        """Signed distance to the head alone, fovea and collapsed segment included."""
        length = np.maximum(p.norm(), np.float32(1e-3))
        q = p.rotated(self.asphericity_mm)
        uneven = (p.x * q.x + p.y * q.y + p.z * q.z) / np.square(length)
        chord = 2 - 2 * p.along(self.fovea) / length
        dent = np.float32(2.4) * np.exp(-chord / np.float32(0.035))
        return np.asarray(length - np.float32(self.radius_mm) - uneven + dent + self._pushed_in(p))

    def along_neck(self, p: Points) -> Field:
        """Distance from the head's centre down the neck, in mm."""
        return p.along(self.neck.axis)

    def cortex(self, p: Points) -> Field:
        """Thickness of cortex or subchondral plate, in mm."""
        s, r = self.along_neck(p), self.radius_mm
        medial = ramp(p.along(self.neck.up), 0.1 * r, -0.6 * r)
        below = p.minus(self.shaft.origin).along(self.shaft.axis)
        calcar = ramp(s, 0.8 * r, 1.9 * r) * medial * ramp(below, 70.0, 20.0)
        return np.asarray(
            np.float32(self.plate_mm)
            + np.float32(self.neck_cortex_mm) * ramp(s, 0.5 * r, 1.0 * r)
            + np.float32(self.calcar_mm) * calcar
            + np.float32(self.shaft_cortex_mm) * ramp(below, 8.0, 75.0)
        )

    def _pushed_in(self, p: Points) -> Field | np.float32:
        """How far the collapsed segment lies below the head's former surface, in mm; 0 beyond the head."""
        if self.depression is None:
            return np.float32(0)
        near = ramp(p.norm(), 1.35 * self.radius_mm, 1.15 * self.radius_mm)
        return np.asarray(self.depression.depth(p, self.radius_mm) * near)


def osteophyte_nodes(femur: Femur, size_mm: float, rng: np.random.Generator) -> tuple[Node, ...]:
    """Draw a broken ring of spurs at the margin of a femur's head, the largest below and medially.

    Where they sit follows the usual description of osteoarthritis of the hip; sizes and gaps are the author's choice.

    Parameters
    ----------
    femur : Femur
    size_mm : float
        How far the largest spurs stand out of the head's sphere: 2-6 mm.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of node
        Balls, in mm in the frame of the hip.
    """
    neck, nodes = femur.neck, []
    for turn in np.arange(0, 360, 15) + rng.uniform(-4.0, 4.0, 24):
        side = np.cos(np.radians(turn)) * neck.up + np.sin(np.radians(turn)) * neck.across
        below = 0.5 - 0.5 * np.cos(np.radians(turn))  # 1 at the lower wall of the neck
        behind = max(np.sin(np.radians(turn)), 0.0)  # where the ischium leaves little room
        stands_out = size_mm * (0.45 + 0.55 * below) * (1 - 0.55 * behind) * rng.uniform(0.75, 1.0)
        polar = np.radians(rng.uniform(47.0, 56.0))
        kept = rng.random() < 0.7 + 0.3 * below
        ball = 1.6 + 0.5 * stands_out
        middle = femur.radius_mm + stands_out - ball
        if kept:
            nodes.append(node(middle * (np.cos(polar) * neck.axis + np.sin(polar) * side), ball))
    return tuple(nodes)


def _cam(
    axis: NDArray[np.float64],
    up: NDArray[np.float64],
    back: NDArray[np.float64],
    radius: float,
    height_mm: float,
    rng: np.random.Generator,
) -> tuple[Node, ...]:
    """Draw a bump in front of and above the head-neck junction, from about 12 to 3 o'clock of the neck's section.

    The alpha angle is 57-75 degrees, 35-43 without a cam, with 1 mm allowed to leave the sphere: the size of the bump
    is the author's choice. Hack 2010 (J Bone Joint Surg Am 92:2436) calls it a cam from 50.5 degrees.
    """
    polar = np.radians(rng.uniform(38.0, 50.0))
    middle = np.radians(rng.uniform(35.0, 60.0))  # from the upper wall to the front
    ball = 0.40 * radius
    nodes = []
    for turn, share in ((-0.5, 0.45), (-0.2, 1.0), (0.2, 1.0), (0.5, 0.45)):
        side = np.cos(middle + turn) * up - np.sin(middle + turn) * back
        reach = radius + share * height_mm - ball
        nodes.append(node(reach * (np.cos(polar) * axis + np.sin(polar) * side), ball))
    return tuple(nodes)


def _turned(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _unit(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(v / np.linalg.norm(v))


def _asphericity(rng: np.random.Generator) -> NDArray[np.float64]:
    raw = rng.normal(0, 0.18, (3, 3))
    even = (raw + raw.T) / 2
    return np.asarray(even - np.eye(3) * np.trace(even) / 3)


def _neck(
    axis: NDArray[np.float64],
    up: NDArray[np.float64],
    back: NDArray[np.float64],
    radius: float,
    rng: np.random.Generator,
) -> Tube:
    stretch_up, stretch_back = within(rng, 1.0, 0.03), within(rng, 1.0, 0.03)
    at = np.array(_NECK_AT) * radius
    return Tube(
        origin=np.zeros(3),
        axis=axis,
        up=up,
        across=back,
        at_mm=at,
        half_up_mm=np.array(_NECK_HALF_HEIGHT) * radius * stretch_up,
        half_across_mm=np.array(_NECK_HALF_DEPTH) * radius * stretch_back,
        offset_up_mm=-0.03 * at,
    )


def _shaft(
    foot: NDArray[np.float64],
    down: NDArray[np.float64],
    outward: NDArray[np.float64],
    back: NDArray[np.float64],
    scale: float,
    rng: np.random.Generator,
) -> Tube:
    stretch = within(rng, 1.0, 0.03)
    return Tube(
        origin=foot,
        axis=down,
        up=outward,
        across=back,
        at_mm=np.array(_SHAFT_AT) * scale,
        half_up_mm=np.array(_SHAFT_HALF_WIDTH) * scale * stretch,
        half_across_mm=np.array(_SHAFT_HALF_DEPTH) * scale * stretch,
        offset_up_mm=np.array(_SHAFT_SHIFT) * scale,
    )


def _greater_trochanter(
    foot: NDArray[np.float64], frame: NDArray[np.float64], scale: float, rng: np.random.Generator
) -> tuple[Node, ...]:
    tip = rng.uniform(-4.0, 2.0)  # height of the tip against the head's centre, in mm
    body = (foot[2] - 14.0 * scale, tip - 24.0 * scale, tip - 9.5 * scale)
    places = ((11.0, 0.0, 11.5), (12.0, 4.0, 12.0), (9.0, 11.0, 10.0))  # lateral, back, radius
    return tuple(
        node([*(foot + frame @ [x * scale, y * scale, 0.0])[:2], height], r * scale)
        for (x, y, r), height in zip(places, body, strict=True)
    )


def _lesser_trochanter(
    foot: NDArray[np.float64],
    down: NDArray[np.float64],
    outward: NDArray[np.float64],
    back: NDArray[np.float64],
    scale: float,
) -> tuple[Node, ...]:
    """Place the lesser trochanter: below the head by about the head's diameter, a little lower on a long neck.

    The head's diameter is 1.01 (0.12) of that distance (200 femora, PubMed 20069639; radiographs give a ratio of 1.02
    to the most prominent part, PubMed 23451435). Half of the level follows the neck: author's choice.
    """
    with_neck, with_head = foot @ down + 17.5 * scale, 2.08 * 24.0 * scale
    level = (with_neck + with_head) / 2 - foot @ down
    root = foot + (level + scale) * down + (6.0 * back - 7.0 * outward) * scale
    tip = foot + level * down + (12.0 * back - 19.0 * outward) * scale
    return (node(root, 11.0 * scale), node(tip, 6.5 * scale))
