"""The femur's surface from head to trochanters: a height field of least cost in head-neck coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.geometry import Side, Sphere, fit_sphere
from toh_mri.kernels.surface import edge_evidence, height_field
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.lollipop import ROW_STEP_DEGREE, Lollipop
from toh_mri.segmentation.rays import NECK_TRUST, looks_down_the_neck, outer_share

_STEP_MM = 0.5
_REACH_MM = 6.0
_HALF_WIDTH = 1  # edge over 3 half-steps = 1.5 mm
_GAP = (5, 14)  # 2.5-7 mm in steps
_CONTRAST_CAP = 1.2
_HEAD_DEVIATION_MM = 2.5
_NECK_DEVIATION_MM = 4.0
_PRIOR_COST = 0.35
_STIFFNESS = 0.15
_LARGEST_STEP = 2
_PASSES = 3

# The edge seen lies inside the bone surface (outer face of the plate): marrow to plate on T1, plate to cartilage on
# fat-suppressed series (measured on hips with known truth: 1.0-1.3 mm and 0.3 mm).
OUTWARD_MM = {"fat bright": 1.2, "fat suppressed": 0.3, "both": 1.0}

# Rows on the articular surface, up to 105 degrees from the pole opposite the neck: what the sphere is fitted to.
ARTICULAR_ROWS = int(105.0 / ROW_STEP_DEGREE)


@dataclass(frozen=True, eq=False)
class FemoralSurface:
    """The traced surface.

    Attributes
    ----------
    frame : Lollipop
        Its coordinates.
    edge_mm : ndarray of float64, shape (rows, azimuths)
        Distance of the visible edge along each ray.
    bone_mm : ndarray of float64, shape (rows, azimuths)
        Distance of the bone's outer face.
    support : ndarray of float64, shape (rows, azimuths)
        0..1, evidence met by the surface.
    head : Sphere
        Fitted to the articular part of the bone's outer face.
    residual_mm : float
        Root mean square distance of the articular surface from that sphere.
    """

    frame: Lollipop
    edge_mm: NDArray[np.float64]
    bone_mm: NDArray[np.float64]
    support: NDArray[np.float64]
    head: Sphere
    residual_mm: float


def trace_surface(
    evidence: tuple[Evidence, ...], start: Sphere, axis: NDArray[np.float64], side: Side
) -> FemoralSurface:
    """Trace the surface round a starting sphere, re-centred on the fitted sphere twice.

    Parameters
    ----------
    evidence : tuple of Evidence
        All series that show the rim, on one grid.
    start : Sphere
        Roughly the head, LPS mm.
    axis : ndarray of float64, shape (3,)
        Unit vector down the neck.
    side : Side
    """
    centre, radius = np.asarray(start.center), start.radius_mm
    kinds = {item.fat_is_bright for item in evidence}
    outward = OUTWARD_MM["both" if len(kinds) == 2 else "fat bright" if True in kinds else "fat suppressed"]
    for turn in range(_PASSES):
        frame = Lollipop.around(centre, radius, axis)
        reward = np.mean([_reward(item, frame, side) for item in evidence], axis=0)
        heights = height_field(_cost(reward, frame, side), _STIFFNESS, _LARGEST_STEP)
        edge = frame.prior_mm - _REACH_MM + heights * _STEP_MM
        sphere = _fit_head(frame, edge, reward, heights, side)
        if turn < _PASSES - 1:
            centre, radius = np.asarray(sphere.center), sphere.radius_mm
            axis = _neck_axis(frame, edge, centre, radius)
    support = _at(reward, heights)
    bone = edge + outward
    head = Sphere(sphere.center, sphere.radius_mm + outward)
    articular = frame.surface(bone)[:ARTICULAR_ROWS].reshape(-1, 3)
    residual = float(np.sqrt(np.mean(head.signed_distance(articular) ** 2)))
    return FemoralSurface(frame, edge, bone, support, head, residual)


def _neck_axis(
    frame: Lollipop, edge: NDArray[np.float64], centre: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Return the direction from the head's centre to the middle of the neck's cross-sections, 0.9-1.4 radii away."""
    tube = frame.surface(edge)[frame.head_rows :]
    along = (tube.mean(axis=1) - centre) @ frame.axis / radius
    middle = tube[(along >= 0.9) & (along <= 1.4)].mean(axis=(0, 1)) - centre
    return np.asarray(middle / np.linalg.norm(middle))


def _reward(item: Evidence, frame: Lollipop, side: Side) -> NDArray[np.float32]:
    n_offsets = round(2 * _REACH_MM / _STEP_MM) + 1
    n_samples = n_offsets + _GAP[1] + 2 * _HALF_WIDTH + 1
    distance = (np.arange(n_samples) - _HALF_WIDTH - 0.5) * _STEP_MM - _REACH_MM
    reach = frame.prior_mm[..., None] + distance
    points = frame.origins[..., None, :] + reach[..., None] * frame.directions[..., None, :]
    profiles = item.image.sample(points)
    # Neighbouring rays are averaged before edges are taken: texture cancels, the rim stays.
    profiles = ndimage.gaussian_filter1d(profiles, 1.0, axis=1, mode="wrap")
    profiles = ndimage.gaussian_filter1d(profiles, 1.0, axis=0, mode="nearest")
    share = outer_share(frame.directions, side)
    share[frame.head_rows :] = 0.0  # no joint round the neck
    return np.asarray(
        edge_evidence(
            profiles,
            share.astype(np.float32),
            n_offsets,
            _HALF_WIDTH,
            *_GAP,
            _CONTRAST_CAP,
            not item.fat_is_bright,
        )
    )


def _cost(reward: NDArray[np.float32], frame: Lollipop, side: Side) -> NDArray[np.float32]:
    offset = np.arange(reward.shape[2]) * _STEP_MM - _REACH_MM
    rows = np.arange(reward.shape[0])[:, None, None]
    deviation = np.where(rows < frame.head_rows, _HEAD_DEVIATION_MM, _NECK_DEVIATION_MM)
    trust = _trust(frame, side)[..., None]
    return (-trust * reward + _PRIOR_COST * 0.5 * (offset / deviation) ** 2).astype(np.float32)


def _trust(frame: Lollipop, side: Side) -> NDArray[np.float64]:
    """Return the trust in each ray: little where the head opens into the neck, which has no rim."""
    trust = np.where(looks_down_the_neck(frame.directions, side), NECK_TRUST, 1.0)
    trust[frame.head_rows :] = 1.0
    return trust


def _at(reward: NDArray[np.float32], heights: NDArray[np.float32]) -> NDArray[np.float64]:
    index = np.clip(np.rint(heights).astype(int), 0, reward.shape[2] - 1)
    return np.take_along_axis(reward, index[..., None], axis=2)[..., 0].astype(np.float64)


def _fit_head(
    frame: Lollipop,
    edge: NDArray[np.float64],
    reward: NDArray[np.float32],
    heights: NDArray[np.float32],
    side: Side,
) -> Sphere:
    rows = ARTICULAR_ROWS
    inclination = np.radians(np.arange(rows) * ROW_STEP_DEGREE)
    area = np.maximum(np.sin(inclination), 0.02)[:, None]  # rays crowd at the pole
    weight = area * (0.05 + _at(reward, heights)[:rows]) * _trust(frame, side)[:rows]
    return fit_sphere(frame.surface(edge)[:rows].reshape(-1, 3), weight.ravel())
