"""One hip's images: choice of its reference series, and crops on native grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.preprocess import PreprocessConfig
from toh_mri.core.errors import SeriesSelectionError
from toh_mri.core.hip import Check, HipImages, HipLocation, HipSeries, Status
from toh_mri.core.study import AlignedSeries, AlignedStudy, Contrast, SeriesInfo, SlicePlane
from toh_mri.geometry import Sphere
from toh_mri.geometry.shapes import as_point

_FLUID_ORDER = (Contrast.STIR, Contrast.T2FS, Contrast.PDFS, Contrast.DIXON_WATER)
_BALL_STEPS = 33  # at most 4 mm apart, so that no slice of usual thickness is stepped over
_COVERED_RADII = 2.0  # edema is counted within two head radii


def crop_hip(study: AlignedStudy, location: HipLocation, config: PreprocessConfig) -> HipImages:
    """Choose the reference series of one hip and cut every series that shows it to a box.

    The reference is the fluid-sensitive series that covers most of the hip; those within a small margin are ordered:
    complete ones before those that lack slices, STIR, T2-FS, PD-FS, then coronal, then finer pixels. Without a
    fluid-sensitive series a T1-like one takes its place, and edema cannot be measured. No sample is interpolated. A
    reference that lacks slices is a check that asks for a look.

    Parameters
    ----------
    study : AlignedStudy
    location : HipLocation
        In the study's frame.
    config : PreprocessConfig

    Returns
    -------
    HipImages
        In the reference series' patient space; the reference first.

    Raises
    ------
    SeriesSelectionError
        ``hip_not_covered`` if no series shows the head's centre.
    """
    covered = {s.series.name: coverage(s, location) for s in study.series}
    shown = [s for s in study.series if covered[s.series.name] > 0]
    if not shown:
        raise SeriesSelectionError(
            "hip_not_covered",
            f"No series shows the {location.side.value} femoral head.",
            "Check the field of view of the series.",
        )
    reference, reasons = _choose(shown, covered, config)
    from_frame = _inverse(reference.to_frame)
    placed = replace(
        location,
        sphere=Sphere(_moved(from_frame, location.sphere.center), location.sphere.radius_mm),
        checks=(*location.checks, _missing_slices_check(reference.series.info)),
    )
    start, _ = reference.series.image.grid.box_around(placed.sphere.center, config.crop_radius_mm)
    others = [s for s in shown if s is not reference]
    return HipImages(
        location=placed,
        reference=reference.series.name,
        reference_reasons=reasons,
        full_grid_shape=reference.series.image.grid.shape,
        crop_start=start,
        series=tuple(_crop(s, location, from_frame, config) for s in (reference, *others)),
    )


def coverage(series: AlignedSeries, location: HipLocation) -> float:
    """Return the share, 0..1, of the ball of two head radii round the head that a series shows.

    What lies in missing slices is not shown.
    """
    grid = series.grid_in_frame
    reach = _COVERED_RADII * location.sphere.radius_mm
    axis = np.linspace(-reach, reach, _BALL_STEPS)
    ball = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    ball = ball[np.linalg.norm(ball, axis=1) <= reach]
    if location.dimensionality == 2:  # a slice shows a disc
        normal = grid.directions[:, 0]
        ball = ball - np.outer(ball @ normal, normal)
    if not grid.contains(location.sphere.center):
        return 0.0
    points = np.add(location.sphere.center, ball)
    slices = grid.nearest(points)[:, 0]
    return float((grid.contains(points) & ~np.isin(slices, series.series.info.missing_slices)).mean())


def _choose(
    shown: list[AlignedSeries], covered: dict[str, float], config: PreprocessConfig
) -> tuple[AlignedSeries, tuple[str, ...]]:
    fluid = [s for s in shown if s.series.role.contrast.is_fluid_sensitive]
    pool = fluid or shown
    most = max(covered[s.series.name] for s in pool)
    close = [s for s in pool if covered[s.series.name] >= most - config.coverage_tie_fraction]

    def order(item: AlignedSeries) -> tuple[object, ...]:
        role = item.series.role
        rank = _FLUID_ORDER.index(role.contrast) if role.contrast in _FLUID_ORDER else len(_FLUID_ORDER)
        if not fluid:
            rank = 0 if role.contrast is Contrast.T1 else 1
        pixel = round(item.series.image.grid.spacing_mm[1], 3)
        lacks = bool(item.series.info.missing_slices)
        return (lacks, rank, role.plane is not SlicePlane.CORONAL, pixel, item.series.name)

    chosen = min(close, key=order)
    role = chosen.series.role
    reasons = [
        "fluid-sensitive" if fluid else "no fluid-sensitive series shows this hip: edema cannot be measured",
        f"shows {100 * covered[chosen.series.name]:.0f} % of the hip (most of any: {100 * most:.0f} %)",
        f"{role.contrast.value}, {role.plane.value}: first in the order complete, STIR, T2FS, PDFS, coronal, among "
        + ", ".join(sorted(s.series.name for s in close)),
    ]
    return chosen, tuple(reasons)


def _crop(
    item: AlignedSeries, location: HipLocation, from_frame: NDArray[np.float64], config: PreprocessConfig
) -> HipSeries:
    own = _moved(_inverse(item.to_frame), location.sphere.center)
    info, image = item.series.info, item.series.image
    start, stop = image.grid.box_around(own, config.crop_radius_mm)
    return HipSeries(
        info=info,
        image=image.crop(start, stop),
        to_reference=from_frame @ item.to_frame,
        alignment=item.alignment,
        missing_slices=tuple(k - start[0] for k in info.missing_slices if start[0] <= k < stop[0]),
    )


def _missing_slices_check(reference: SeriesInfo) -> Check:
    missing = len(reference.missing_slices)
    return Check(
        code="missing_slices",
        status=Status.REVIEW if missing else Status.OK,
        value=float(missing),
        message=f"{reference.name}, the reference series, lacks {missing} {'slice' if missing == 1 else 'slices'}; "
        "edema there is not counted, so that its volume is a lower bound; percentages are of the slices that are there."
        if missing
        else f"{reference.name}, the reference series, lacks no slice.",
    )


def _moved(rigid: NDArray[np.float64], point: tuple[float, float, float]) -> tuple[float, float, float]:
    return as_point(rigid[:3, :3] @ np.asarray(point) + rigid[:3, 3])


def _inverse(rigid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse of a rigid transform, shape (4, 4)."""
    return np.asarray(np.linalg.inv(rigid), dtype=np.float64)
