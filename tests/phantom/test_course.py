"""Follow-up: the same person later; what heals heals, what progresses progresses, what stays stays."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pydicom
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.phantom.conftest import small_plans
from toh_mri.geometry import Side
from toh_mri.phantom import Disease, PhantomCase, make_case, write_dicom_case
from toh_mri.phantom.course import FIRST_VISIT, Visit, after, draw_visits, onset_on_other_side
from toh_mri.phantom.disease import Lesions
from toh_mri.phantom.points import Points
from toh_mri.phantom.scene import Hip, Scene
from toh_mri.phantom.streams import stream

seeds = st.integers(0, 10_000)
DAYS = (0, 40, 90, 150, 270, 500)


def course_of(disease: Disease, seed: int) -> tuple[Hip, list[Lesions]]:
    hip = Scene.draw(seed, {Side.LEFT: disease}).hips[Side.LEFT]
    femur = replace(hip.femur, depression=None)
    return hip, [after(hip.lesions, femur, days, stream(seed, "course/left")) for days in DAYS]


def edema_points(hip: Hip, lesions: Lesions) -> int:
    p = np.random.default_rng(0).uniform(-40, 40, (20_000, 3))
    return int(np.count_nonzero(lesions.edema_fraction(Points.of(p), hip.femur) > 0.25))


def tiny_case(seed: int, disease: Disease, visit: Visit, *, bilateral: bool = False) -> PhantomCase:
    wide = {"fov_mm": 360.0} if bilateral else {}
    plans = [replace(plan, matrix=64, slices=2, **wide) for plan in small_plans()[:1]]
    return make_case(seed, disease, side=Side.LEFT, plans=plans, visit=visit, bilateral=bilateral)


@settings(max_examples=4, deadline=None)
@given(seeds, st.sampled_from([Disease.TOH, Disease.NECKFX]))
@example(6, Disease.NECKFX)  # its edema is faint from the beginning: gone long before the level reaches 0
def test_what_heals_fades_and_is_normal_within_10_months(seed: int, disease: Disease) -> None:
    hip, course = course_of(disease, seed)
    assert course[0] is hip.lesions
    extent = [edema_points(hip, lesions) for lesions in course]
    assert extent == sorted(extent, reverse=True)
    assert extent[0] > extent[1] > 0 == extent[-1]
    assert course[-1].disease is Disease.NORMAL
    assert course[-1].line is None
    for lesions, points in zip(course, extent, strict=True):
        assert (lesions.disease is Disease.NORMAL) == (points == 0)
    fluid = [lesions.fluid_mm for lesions in course]
    assert abs(fluid[-1] - 1) <= abs(fluid[0] - 1)


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_osteonecrosis_keeps_its_band_and_never_gets_better(seed: int) -> None:
    hip, course = course_of(Disease.ON, seed)
    p = Points.of(np.random.default_rng(1).uniform(-25, 25, (2000, 3)))
    for lesions in course:
        assert np.array_equal(lesions.necrosis.distance(p), hip.lesions.necrosis.distance(p))
        assert lesions.disease is Disease.ON
    depth = [0 if one.deformity.depression is None else one.deformity.depression.depth_mm for one in course]
    assert depth == sorted(depth)
    assert depth[-1] <= 4
    for name in ("line", "edema"):
        present = [getattr(one, name) is not None for one in course]
        assert present == sorted(present)
    around = [one.necrosis.around for one in course]
    assert around == sorted(around)


def test_osteonecrosis_goes_on_in_most_large_lesions_and_in_no_small_one() -> None:
    changed: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(30):
        hip, course = course_of(Disease.ON, seed)
        changed[hip.lesions.necrosis.share > 0.15].append(course[-1] is not course[0])
    assert not any(changed[False])
    assert 0.5 < np.mean(changed[True]) < 1


def test_insufficiency_fractures_heal_or_collapse() -> None:
    ends = []
    for seed in range(14):
        hip, course = course_of(Disease.SIF, seed)
        first, last = course[0].deformity.depression, course[-1].deformity.depression
        healed = course[-1].disease is Disease.NORMAL
        if not healed:
            assert last.depth_mm > (0 if first is None else first.depth_mm)
            assert course[-1].line is hip.lesions.line
        ends.append(healed)
    assert {True, False} == set(ends)


@pytest.mark.parametrize("disease", [Disease.NORMAL, Disease.OA, Disease.ARTHRITIS, Disease.REPLACEMENT])
def test_the_rest_stays(disease: Disease) -> None:
    hip, course = course_of(disease, 5)
    assert all(lesions is hip.lesions for lesions in course)


def test_a_later_visit_is_the_same_person_examined_anew() -> None:
    first, later = (tiny_case(5, Disease.TOH, visit) for visit in (FIRST_VISIT, Visit(2, 70)))
    again = make_case(5, Disease.TOH, side=Side.LEFT, plans=[one.plan for one in first.series])
    assert first.truth == again.truth
    assert np.array_equal(first.series[0].image.array, again.series[0].image.array)
    assert (later.truth["visit"], later.truth["days"]) == (2, 70)
    assert later.truth["params"]["person"] == first.truth["params"]["person"]
    for name in ("head_center_lps", "head_radius_mm", "neck_axis_lps", "head_ml"):
        assert later.truth["hips"]["L"][name] == first.truth["hips"]["L"][name]
    assert later.truth["hips"]["L"]["edema_ml"] < first.truth["hips"]["L"]["edema_ml"]
    assert not np.allclose(later.series[0].image.grid.affine, first.series[0].image.grid.affine)
    stays = [tiny_case(5, Disease.NORMAL, visit).truth["hips"] for visit in (FIRST_VISIT, Visit(2, 70))]
    assert stays[0] == stays[1]


def test_toh_migrates_in_some() -> None:
    onset = {seed: onset_on_other_side(Disease.TOH, seed) for seed in range(600)}
    days = [day for day in onset.values() if day is not None]
    assert len(days) / len(onset) == pytest.approx(1 / 6, abs=0.05)
    assert min(days) >= 30
    assert not any(onset_on_other_side(disease, seed) for disease in (Disease.ON, Disease.NORMAL) for seed in range(99))
    seed, day = next((seed, day) for seed, day in onset.items() if day is not None)
    before, since = (
        tiny_case(seed, Disease.TOH, Visit(2, days), bilateral=True).truth["hips"]["R"] for days in (day - 1, day)
    )
    assert (before["cls"], since["cls"]) == ("normal", "TOH")
    assert before["edema_ml"] == 0 < since["edema_ml"]


@given(seeds, st.integers(1, 6))
def test_visits_are_weeks_apart_and_do_not_depend_on_their_number(seed: int, count: int) -> None:
    visits = draw_visits(count, seed)
    assert visits == draw_visits(6, seed)[:count]
    assert [visit.number for visit in visits] == list(range(1, count + 1))
    assert visits[0] == FIRST_VISIT
    assert all(42 <= b.days - a.days < 113 for a, b in pairwise(visits))
    assert len({visit.seed(seed) for visit in visits}) == count
    assert FIRST_VISIT.seed(seed) == seed


@pytest.mark.parametrize(("number", "days"), [(0, 0), (1, 5), (2, 0), (3, -4)])
def test_visits_that_cannot_be_are_refused(number: int, days: int) -> None:
    with pytest.raises(ValueError, match="first visit"):
        Visit(number, days)


def test_dicom_of_a_later_visit_is_another_study_of_the_same_patient(tmp_path) -> None:
    headers = []
    for visit in (FIRST_VISIT, Visit(2, 70)):
        folder = tmp_path / str(visit.number)
        write_dicom_case(tiny_case(5, Disease.NORMAL, visit), folder)
        files = (path for path in sorted((folder / "study").iterdir()) if path.suffix != ".txt")
        headers.append([pydicom.dcmread(path, stop_before_pixels=True) for path in files])
    first, later = ({name: {str(one[name].value) for one in files} for name in files[0].dir()} for files in headers)
    assert first["PatientID"] == later["PatientID"]
    assert len(first["StudyInstanceUID"] | later["StudyInstanceUID"]) == 2
    assert not first["SOPInstanceUID"] & later["SOPInstanceUID"]
    assert (first["StudyDate"], later["StudyDate"]) == ({"20200101"}, {"20200311"})
