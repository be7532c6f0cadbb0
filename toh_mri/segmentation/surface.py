"""The femur's surface from head to trochanters: a height field of least cost in head-neck coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.geometry import Side, Sphere, fit_sphere
from toh_mri.kernels.surface import height_field, outer_face_evidence
from toh_mri.segmentation.cortex import PLATE_MM
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.lollipop import ROW_STEP_DEGREE, Lollipop
from toh_mri.segmentation.rays import NECK_TRUST, looks_down_the_neck, outer_share

_STEP_MM = 0.5
_REACH_MM = 6.0
_GAP = (5, 14)  # 2.5-7 mm in steps
_LEAD = 22  # steps before the first place: the thickest cortex and a joint
_CONTRAST_CAP = 1.2
_HEAD_DEVIATION_MM = 2.5
_NECK_DEVIATION_MM = 4.0
_PRIOR_COST = 0.35
_STIFFNESS = 0.15
_LARGEST_STEP = 2
_PASSES = 3

# Rows on the articular surface, up to 105 degrees from the pole opposite the neck: what the sphere is fitted to.
ARTICULAR_ROWS = int(105.0 / ROW_STEP_DEGREE)


@dataclass(frozen=True, eq=False)
class FemoralSurface:
    """The traced surface.

    Attributes
    ----------
    frame : Lollipop
        Its coordinates.
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
        Roughly the rim of the head's marrow, LPS mm.
    axis : ndarray of float64, shape (3,)
        Unit vector down the neck.
    side : Side
    """
    centre, radius = np.asarray(start.center), start.radius_mm + PLATE_MM
    for turn in range(_PASSES):
        frame = Lollipop.around(centre, radius, axis)
        reward = np.mean([_reward(item, frame, side) for item in evidence], axis=0)
        heights = height_field(_cost(reward, frame, side), _STIFFNESS, _LARGEST_STEP)
        bone = frame.prior_mm - _REACH_MM + heights * _STEP_MM
        head = _fit_head(frame, bone, reward, heights, side)
        if turn < _PASSES - 1:
            centre, radius = np.asarray(head.center), head.radius_mm
            axis = _neck_axis(frame, bone, centre, radius)
    support = _at(reward, heights)
    articular = frame.surface(bone)[:ARTICULAR_ROWS].reshape(-1, 3)
    residual = float(np.sqrt(np.mean(head.signed_distance(articular) ** 2)))
    return FemoralSurface(frame, bone, support, head, residual)


def _neck_axis(
    frame: Lollipop, bone: NDArray[np.float64], centre: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Return the direction from the head's centre to the middle of the neck's cross-sections, 0.9-1.4 radii away."""
    tube = frame.surface(bone)[frame.head_rows :]
    along = (tube.mean(axis=1) - centre) @ frame.axis / radius
    middle = tube[(along >= 0.9) & (along <= 1.4)].mean(axis=(0, 1)) - centre
    return np.asarray(middle / np.linalg.norm(middle))


def _reward(item: Evidence, frame: Lollipop, side: Side) -> NDArray[np.float32]:
    """Return how well each place agrees with the outer face of the bone."""
    n_offsets = round(2 * _REACH_MM / _STEP_MM) + 1
    start = frame.prior_mm - _REACH_MM - (_LEAD + 1.5) * _STEP_MM
    profiles = item.profiles(frame.origins, frame.directions, start, _STEP_MM, _LEAD + n_offsets + _GAP[1] + 3)
    # Neighbouring rays are averaged before edges are taken: texture cancels, the rim stays.
    profiles = ndimage.gaussian_filter1d(profiles, 1.0, axis=1, mode="wrap")
    profiles = ndimage.gaussian_filter1d(profiles, 1.0, axis=0, mode="nearest")
    share = outer_share(frame.directions, side)
    share[frame.head_rows :] = 0.0  # no joint round the neck
    return np.asarray(
        outer_face_evidence(
            profiles,
            share.astype(np.float32),
            (frame.cortex_mm / _STEP_MM).astype(np.float32),
            n_offsets,
            _LEAD,
            *_GAP,
            _CONTRAST_CAP,
            item.fat_is_bright,
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
    bone: NDArray[np.float64],
    reward: NDArray[np.float32],
    heights: NDArray[np.float32],
    side: Side,
) -> Sphere:
    rows = ARTICULAR_ROWS
    inclination = np.radians(np.arange(rows) * ROW_STEP_DEGREE)
    area = np.maximum(np.sin(inclination), 0.02)[:, None]  # rays crowd at the pole
    weight = area * (0.05 + _at(reward, heights)[:rows]) * _trust(frame, side)[:rows]
    return fit_sphere(frame.surface(bone)[:rows].reshape(-1, 3), weight.ravel())
