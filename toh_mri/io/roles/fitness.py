"""Whether a series can be part of a hip study, and if not, why: one sentence for each reason."""

from __future__ import annotations

from collections.abc import Iterator

from toh_mri.core.config.io import IoConfig
from toh_mri.core.study import Acquisition, Contrast, Exclusion, SeriesRole
from toh_mri.geometry import Grid
from toh_mri.io.roles.body_part import shows_no_hip

_ROUNDING = 1e-6  # of a length that comes out of an affine: 2 mm may read as 2.0000000001 mm


def fitness_problems(
    acquisition: Acquisition, grid: Grid | None, role: SeriesRole | None, config: IoConfig
) -> list[Exclusion]:
    """Return every reason against using a series, the weightiest first.

    Codes: ``not_a_hip``, ``no_usable_contrast``, ``field_of_view_too_small``, ``too_few_slices``,
    ``too_sparse``, ``too_coarse``.
    """
    return [*_anatomy(acquisition), *_contrast(role), *_coverage(grid, config)]


def _anatomy(acquisition: Acquisition) -> Iterator[Exclusion]:
    if shows_no_hip(acquisition.body_part):
        yield Exclusion(code="not_a_hip", message=f"BodyPartExamined is {acquisition.body_part}.")


def _contrast(role: SeriesRole | None) -> Iterator[Exclusion]:
    if role is not None and role.contrast is Contrast.OTHER:
        yield Exclusion(
            code="no_usable_contrast",
            message="It shows none of the contrasts used here: T1, T2, PD, STIR, T2FS, PDFS, Dixon. "
            + " ".join(reason if reason.endswith(".") else f"{reason}." for reason in role.reasons),
        )


def _coverage(grid: Grid | None, config: IoConfig) -> Iterator[Exclusion]:
    if grid is None:
        return
    slices = grid.shape[0]
    coverage, height, width = grid.extent_mm
    if min(height, width) < config.minimum_field_of_view_mm * (1 - _ROUNDING):
        yield Exclusion(
            code="field_of_view_too_small",
            message=f"Its field of view of {height:.0f} x {width:.0f} mm is too small for a hip "
            f"(at least {config.minimum_field_of_view_mm:g} mm).",
        )
    if slices > 1 and coverage < config.minimum_coverage_mm * (1 - _ROUNDING):
        yield Exclusion(
            code="too_few_slices",
            message=f"Its {slices} slices cover {coverage:.3g} mm, less than half a femoral head "
            f"(at least {config.minimum_coverage_mm:g} mm; a single slice may stand by itself).",
        )
    if slices > 1 and grid.spacing_mm[0] > config.maximum_slice_distance_mm * (1 + _ROUNDING):
        yield Exclusion(
            code="too_sparse",
            message=f"Its {slices} slices are {grid.spacing_mm[0]:.3g} mm apart: too far to follow a bone from one to "
            f"the next (at most {config.maximum_slice_distance_mm:g} mm).",
        )
    if max(grid.spacing_mm[1:]) > config.maximum_pixel_mm * (1 + _ROUNDING):
        yield Exclusion(
            code="too_coarse",
            message=f"Its pixels of {max(grid.spacing_mm[1:]):.3g} mm are too coarse for the rim of a bone "
            f"(at most {config.maximum_pixel_mm:g} mm).",
        )
