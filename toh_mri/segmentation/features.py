"""What is known of a traced head without the truth: the features its confidence is computed from.

Every feature is 0 where nothing speaks against the trace and grows with doubt, so that its coefficient has one
sensible sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from toh_mri.core.frozen import FrozenDict
from toh_mri.core.hip import HipImages
from toh_mri.geometry import Side, Sphere
from toh_mri.segmentation.contour import HeadContour, trace_contour
from toh_mri.segmentation.cortex import PLATE_MM
from toh_mri.segmentation.evidence import Evidence
from toh_mri.segmentation.lollipop import ROW_STEP_DEGREE
from toh_mri.segmentation.plausibility import support_share
from toh_mri.segmentation.rays import looks_down_the_neck
from toh_mri.segmentation.surface import ARTICULAR_ROWS, FemoralSurface, trace_surface

_DOME_DEGREE = 45.0  # half the weight-bearing zone's usual opening
_NEAR_REACH_MM = 5.0  # the surface is searched 6 mm to either side
_RESTART_MM = 2.5  # about as far off as a search may end
_USUAL_RADIUS_MM = (23.9, 2.5)  # outer face; diameter 43 and 48.5 mm, SD 2.4 in each sex, with the plate
_USUAL_SPACING_MM = 4.0  # the author's estimate: up to it thick slices cost the head nothing (shared real volumes)


@dataclass(frozen=True)
class Features:
    """Doubts about one traced head.

    Attributes
    ----------
    values : mapping of str to float
        Feature name to value, >= 0, 0 for no doubt; lengths in mm, shares 0..1.
    """

    values: Mapping[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", FrozenDict(self.values))

    def __getitem__(self, name: str) -> float:
        return self.values[name]


def volume_features(
    images: HipImages, evidence: tuple[Evidence, ...], surface: FemoralSurface, coverage: float
) -> Features:
    """Return the features of a head traced in a volume.

    Parameters
    ----------
    images : HipImages
    evidence : tuple of Evidence
        What it was traced on.
    surface : FemoralSurface
    coverage : float
        Share of the head's surface in the reference series' field of view, 0..1.
    """
    rows = ARTICULAR_ROWS
    points = surface.frame.surface(surface.bone_mm)[:rows]
    outward = (points - surface.head.center) / np.linalg.norm(points - surface.head.center, axis=-1)[..., None]
    area = np.maximum(np.sin(np.radians(np.arange(rows) * ROW_STEP_DEGREE)), 0.02)[:, None] * np.ones(outward.shape[1])
    deviation = surface.head.signed_distance(points)
    dome = outward[..., 2] > np.cos(np.radians(_DOME_DEGREE))
    offset = np.abs(surface.bone_mm - surface.frame.prior_mm)[:rows]
    axis = np.asarray(surface.frame.axis)
    alone = _alone(evidence, surface, images.side)
    usual, deviation_mm = _USUAL_RADIUS_MM
    restarted = [_traced_again(evidence, surface, images.side, _RESTART_MM * sign) for sign in (-1, 1)]
    return Features(
        {
            **_common(images, evidence, surface.head, surface.residual_mm, surface.support[:rows], coverage),
            "unusual_radius_sd": abs(surface.head.radius_mm - usual) / deviation_mm,
            "weakest_sector_unsupported_fraction": 1.0
            - _weakest_sector(surface.support[:rows], outward, area, images.side),
            "dome_off_sphere_mm": float(np.abs(np.average(deviation[dome], weights=area[dome]))) if dome.any() else 0.0,
            "series_centre_mm": _gap(*(item.head for item in alone)) if alone else 0.0,
            "series_radius_mm": abs(alone[0].head.radius_mm - alone[1].head.radius_mm) if alone else 0.0,
            "series_surface_mm": surface_distance_mm(*alone) if alone else 0.0,
            "restart_surface_mm": max(surface_distance_mm(surface, again) for again in restarted),
            "at_bound_fraction": float(np.average(offset >= _NEAR_REACH_MM, weights=area)),
            "neck_unsupported_fraction": 1.0 - support_share(surface.support[surface.frame.head_rows :]),
            "axis_degree": float(np.degrees(np.arccos(np.clip(axis @ images.side.usual_neck_axis, -1, 1)))),
        }
    )


def slice_features(
    images: HipImages, evidence: tuple[Evidence, ...], contour: HeadContour, coverage: float, cortex_mm: float
) -> Features:
    """Return the features of a head traced in a single slice; parameters as of `volume_features`."""
    rim = _rim(contour.circle, 0.0)
    alone = [trace_contour((item,), rim, images.side, cortex_mm).circle for item in _one_of_each(evidence)]
    restarted = [
        trace_contour(evidence, _rim(contour.circle, _RESTART_MM * sign), images.side, cortex_mm).circle
        for sign in (-1, 1)
    ]
    return Features(
        {
            **_common(images, evidence, contour.circle, contour.residual_mm, contour.support, coverage),
            "series_centre_mm": _gap(*alone) if alone else 0.0,
            "series_radius_mm": abs(alone[0].radius_mm - alone[1].radius_mm) if alone else 0.0,
            "restart_centre_mm": max(_gap(contour.circle, again) for again in restarted),
            "restart_radius_mm": max(abs(contour.circle.radius_mm - again.radius_mm) for again in restarted),
        }
    )


def surface_distance_mm(one: FemoralSurface, other: FemoralSurface) -> float:
    """Return the mean distance, mm, of the articular part of one surface from the other, along the other's rays."""
    points = one.frame.surface(one.bone_mm)[:ARTICULAR_ROWS].reshape(-1, 3)
    target = other.frame.surface(other.bone_mm)[: other.frame.head_rows].reshape(-1, 3)
    centre = np.asarray(other.head.center)
    own, reference = points - centre, target - centre
    distance, length = np.linalg.norm(own, axis=1), np.linalg.norm(reference, axis=1)
    nearest = cKDTree(reference / length[:, None]).query(own / distance[:, None])[1]
    return float(np.abs(distance - length[nearest]).mean())


def _common(
    images: HipImages,
    evidence: tuple[Evidence, ...],
    head: Sphere,
    residual_mm: float,
    support: NDArray[np.float64],
    coverage: float,
) -> dict[str, float]:
    """Return the features that volumes and slices share."""
    names = {item.name for item in evidence}
    spacing = max(s.image.grid.spacing_mm[0] for s in images.series if s.info.name in names)
    t1_like = [item.fat_is_bright for item in evidence]
    return {
        "location_doubt_fraction": 1.0 - images.location.score,
        "unsupported_fraction": 1.0 - support_share(support),
        "residual_mm": residual_mm,
        "moved_mm": float(np.linalg.norm(np.subtract(head.center, images.location.sphere.center))),
        "not_covered_fraction": 1.0 - coverage,
        "thick_slices_mm": max(0.0, spacing - _USUAL_SPACING_MM),
        "t1_only": float(all(t1_like)),
        "fluid_only": float(not any(t1_like)),
    }


def _weakest_sector(
    support: NDArray[np.float64], outward: NDArray[np.float64], area: NDArray[np.float64], side: Side
) -> float:
    """Return the share of supported rays in the worst of the sectors up, down, front, back, medial and lateral."""
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    sector = (outward @ axes.T).argmax(axis=-1)
    weight = np.where(looks_down_the_neck(outward, side), 0.0, area)
    shares = []
    for n in range(len(axes)):
        mine = sector == n
        if weight[mine].sum() > 0.05 * area.sum():
            shares.append(np.average(support[mine], weights=weight[mine]))
    return float(min(shares, default=0.0))


def _alone(
    evidence: tuple[Evidence, ...], surface: FemoralSurface, side: Side
) -> tuple[FemoralSurface, FemoralSurface] | None:
    """Trace on T1-like series only and on fluid-sensitive series only; None where there is one kind."""
    kinds = [tuple(item for item in evidence if item.fat_is_bright is wanted) for wanted in (True, False)]
    if not all(kinds):
        return None
    start = _rim(surface.head, 0.0)
    first, second = (trace_surface(kind, start, surface.frame.axis, side) for kind in kinds)
    return first, second


def _one_of_each(evidence: tuple[Evidence, ...]) -> list[Evidence]:
    """Return the first T1-like and the first fluid-sensitive series; nothing where there is one kind."""
    kinds = [[item for item in evidence if item.fat_is_bright is wanted] for wanted in (True, False)]
    return [kind[0] for kind in kinds] if all(kinds) else []


def _traced_again(
    evidence: tuple[Evidence, ...], surface: FemoralSurface, side: Side, wider_mm: float
) -> FemoralSurface:
    return trace_surface(evidence, _rim(surface.head, wider_mm), surface.frame.axis, side)


def _rim(head: Sphere, wider_mm: float) -> Sphere:
    """Return where tracing starts for a head of known outer face: at the marrow's rim, or so much wider."""
    return Sphere(head.center, max(head.radius_mm - PLATE_MM + wider_mm, 1.0))


def _gap(one: Sphere, other: Sphere) -> float:
    return float(np.linalg.norm(np.subtract(one.center, other.center)))
