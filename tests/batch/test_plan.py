from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.export.handmade import series_info, study_index
from toh_mri.batch import plan_study
from toh_mri.core.study import Contrast, Exclusion, SeriesSource, SkippedFile
from toh_mri.geometry import Grid
from toh_mri.io.series import IndexedSeries


def source(name, contrast, *, middle_x_mm=0.0, width_mm=200.0, laterality=None, excluded=None):
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, width_mm / 100], [4, 0, 0], [0, -1, 0]])
    affine[0, 3] = middle_x_mm - width_mm / 2
    info = series_info(name, contrast, excluded)
    acquisition = info.acquisition.model_copy(update={"laterality": laterality})
    grid = None if excluded else Grid((10, 50, 100), affine)
    return SeriesSource(info.model_copy(update={"acquisition": acquisition}), (), grid, "cor stir")


def plan_of(*sources, skipped=()):
    return plan_study(replace(study_index(), sources=sources, skipped=skipped))


def test_every_series_is_named_with_its_use_or_the_reason_against_it():
    localizer = Exclusion(code="localizer", message="It is a localizer.")
    plan = plan_of(
        source("COR_STIR", Contrast.STIR),
        source("COR_T1", Contrast.T1),
        source("LOC", Contrast.OTHER, excluded=localizer),
        source("DIFF", Contrast.OTHER),
    )
    assert [(item.info.name, item.used) for item in plan.series] == [
        ("COR_STIR", True),
        ("COR_T1", True),
        ("LOC", False),
        ("DIFF", False),
    ]
    assert "edema" in plan.series[0].use
    assert "edema, lines" not in plan.series[1].use
    assert "It is a localizer. [localizer]" in plan.series[2].use
    assert plan.series[3].use.startswith("not used")


@pytest.mark.parametrize("used", [True, False])
def test_a_study_without_usable_series_has_no_work(used):
    excluded = None if used else Exclusion(code="mosaic", message="It is a mosaic.")
    assert plan_of(source("A", Contrast.STIR, excluded=excluded)).has_work is used


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        ({"width_mm": 360.0}, "left and right (field"),
        ({"middle_x_mm": 90.0}, "left (field"),
        ({"middle_x_mm": -90.0}, "right (field"),
        ({"laterality": "R", "middle_x_mm": 90.0}, "right (laterality tag)"),
        ({}, "decided on the images"),
    ],
)
def test_sides_to_expect_come_from_tags_and_patient_coordinates(options, sides):
    assert plan_of(source("A", Contrast.STIR, **options)).sides.startswith(sides)


def test_skipped_files_are_grouped_by_reason():
    text = Exclusion(code="not_an_image", message="It is no image.")
    copy = Exclusion(code="copy", message="It is a copy.")
    files = [SkippedFile(Path(f"x/{n}.txt"), text) for n in "dcba"] + [SkippedFile(Path("x/z.dcm"), copy)]
    plan = plan_of(skipped=tuple(files))
    assert [(item.reason.code, item.files, item.examples) for item in plan.skipped] == [
        ("copy", 1, ("z.dcm",)),
        ("not_an_image", 4, ("a.txt", "b.txt", "c.txt")),
    ]


def test_what_analyze_would_say_of_a_usable_series_is_in_the_plan():
    def noted(excluded):
        plain = source("COR_STIR", Contrast.STIR, excluded=excluded)
        return IndexedSeries(plain.info, (), plain.grid, "", notes=("Text is burned in.", "Slices may be missing."))

    localizer = Exclusion(code="localizer", message="It is a localizer.")
    used, left_out = plan_of(noted(None), noted(localizer)).series
    assert used.notes == ("Text is burned in.", "Slices may be missing.")
    assert left_out.notes == (), "it is not used, so they do not hold"
