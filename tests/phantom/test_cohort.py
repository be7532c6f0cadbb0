"""Cohorts on disk: the same bytes however they are made, nothing overwritten, nothing half done."""

import csv
import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.phantom.conftest import small_plans
from tests.phantom.test_files import digests
from toh_mri.core.errors import ExportError, TohMriError
from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Side
from toh_mri.phantom import CaseFormat, Difficulty, Disease, PhantomCase, cohort, plan_cohort, write_cohort
from toh_mri.phantom.case import make_case
from toh_mri.phantom.course import FIRST_VISIT

TWO = (Disease.TOH, Disease.ON)


def tiny_case(seed: int, disease: Disease, **asked: object) -> PhantomCase:
    plans = [replace(plan, matrix=64, slices=2) for plan in small_plans(asked["field_strength_t"])[:1]]
    return make_case(seed, disease, **{**asked, "bilateral": False, "plans": plans})


write_case = cohort._write_case


def write_tiny_case(*arguments, **options):
    cohort.make_case = tiny_case
    try:
        return write_case(*arguments, **options)
    finally:
        cohort.make_case = make_case


def die(*_, **__):
    os._exit(1)


@pytest.fixture
def ready_case(monkeypatch, toh_left):
    """Let every case be one that is made already; note what was asked for."""
    asked = []

    def give(seed, disease, **options):
        asked.append((seed, disease, options))
        return toh_left

    monkeypatch.setattr(cohort, "make_case", give)
    return asked


def test_the_number_of_processes_does_not_change_a_byte(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(cohort, "_write_case", write_tiny_case)
    options = {"classes": TWO, "formats": tuple(CaseFormat)}
    ended = []
    write_cohort(tmp_path / "one", 2, 5, **options)
    write_cohort(tmp_path / "two", 2, 5, **options, jobs=2, on_done=ended.append)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert sorted(done.plan.number for done in ended) == [1, 2]
    assert digests(tmp_path / "one" / "case-0001") != digests(tmp_path / "one" / "case-0002")


def test_a_larger_cohort_begins_with_the_smaller_one_and_another_seed_gives_others():
    assert plan_cohort(50, 3)[:20] == plan_cohort(20, 3)
    assert len({plan.seed for plan in plan_cohort(500, 3)} | {plan.seed for plan in plan_cohort(500, 4)}) == 1000


def test_classes_are_even_and_everything_else_varies():
    plans = plan_cohort(300, 1, difficulties=tuple(Difficulty))
    assert set(Counter(plan.disease for plan in plans)) == set(Disease)
    assert max(Counter(plan.disease for plan in plans[: 9 * len(Disease)]).values()) == 9
    assert len({tuple(plan.disease for plan in plans[k : k + len(Disease)]) for k in range(0, 60, len(Disease))}) > 1
    for drawn in (
        Counter(plan.side for plan in plans),
        Counter(plan.bilateral for plan in plans),
        Counter(plan.field_strength_t for plan in plans),
        Counter(plan.difficulty for plan in plans),
        Counter(plan.series[1].sequence.contrast for plan in plans),
    ):
        assert len(drawn) > 1
        assert min(drawn.values()) > 25
    assert {series.plane for plan in plans for series in plan.series} == set(SlicePlane)
    assert all(plan.series[0].plane is SlicePlane.CORONAL for plan in plans)
    assert all(plan.series[0].sequence.contrast is Contrast.T1 for plan in plans)
    assert all(plan.difficulty is Difficulty.HARD for plan in plan_cohort(9, 1, difficulties=[Difficulty.HARD]))


def test_both_hips_are_diseased_in_some_bilateral_cases_only():
    plans = plan_cohort(1200, 2)
    assert all(plan.other in {plan.disease, Disease.NORMAL} for plan in plans)
    both = Counter(plan.disease for plan in plans if plan.other is not Disease.NORMAL)
    assert not any(plan.other is not Disease.NORMAL for plan in plans if not plan.bilateral)
    bilateral = Counter(plan.disease for plan in plans if plan.bilateral)
    assert both[Disease.ON] / bilateral[Disease.ON] == pytest.approx(0.4, abs=0.2)
    assert both[Disease.TOH] == both[Disease.NECKFX] == 0
    assert both[Disease.OA] > 3


def test_visits_follow_the_same_first_visit(ready_case, tmp_path: Path):
    once, followed = plan_cohort(4, 9), plan_cohort(4, 9, visits=3)
    assert followed[::3] == once
    assert [plan.name for plan in followed[:4]] == ["case-0001", "case-0001-visit-2", "case-0001-visit-3", "case-0002"]
    for k in range(0, 12, 3):
        first, second, third = followed[k : k + 3]
        assert {replace(plan, visit=FIRST_VISIT, series=first.series) for plan in (second, third)} == {first}
        assert 0 == first.visit.days < second.visit.days < third.visit.days
    write_cohort(tmp_path, 2, 9)
    write_cohort(tmp_path, 1, 9, visits=2)  # more visits of one person: the other stays listed
    rows = json.loads((tmp_path / "cohort.json").read_text())["cases"]
    assert [(row["id"], row["visit"]) for row in rows] == [("case-0001", 1), ("case-0001-visit-2", 2), ("case-0002", 1)]
    assert [row["days"] for row in rows] == [0, followed[1].visit.days, 0]
    assert ready_case[-1][2]["visit"] == followed[1].visit
    assert (tmp_path / "case-0001-visit-2").is_dir()


def test_a_case_is_made_as_it_was_planned_and_listed(ready_case, tmp_path: Path):
    plans = write_cohort(tmp_path, 3, 9, classes=TWO, difficulties=[Difficulty.EASY])
    seed, disease, options = ready_case[1]
    assert (seed, disease) == (plans[1].seed, plans[1].disease)
    assert options == {
        "side": plans[1].side,
        "bilateral": plans[1].bilateral,
        "other": plans[1].other,
        "visit": FIRST_VISIT,
        "field_strength_t": plans[1].field_strength_t,
        "difficulty": Difficulty.EASY,
        "plans": plans[1].series,
    }
    listed = json.loads((tmp_path / "cohort.json").read_text())
    assert (listed["seed"], listed["classes"], listed["formats"]) == (9, ["TOH", "ON"], ["nifti"])
    assert [row["id"] for row in listed["cases"]] == ["case-0001", "case-0002", "case-0003"]
    assert listed["cases"][1]["seed"] == seed
    assert listed["cases"][1]["side"] == {Side.LEFT: "L", Side.RIGHT: "R"}[plans[1].side]
    with (tmp_path / "cohort.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [{name: str(value) for name, value in row.items()} for row in listed["cases"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*(p.name for p in plans), "cohort.csv", "cohort.json"]


def test_both_formats_stand_beside_one_truth(ready_case, tmp_path: Path):
    write_cohort(tmp_path, 1, 2, formats=[CaseFormat.DICOM, CaseFormat.NIFTI, CaseFormat.DICOM])
    assert sorted(path.name for path in (tmp_path / "case-0001").iterdir()) == ["nifti", "study", "truth"]
    assert len(ready_case) == 1


def test_run_again_it_makes_what_is_missing_and_leaves_the_rest(ready_case, tmp_path: Path):
    write_cohort(tmp_path, 2, 9)
    before = digests(tmp_path / "case-0001")
    (tmp_path / ".case-0003.part").mkdir()  # as a run leaves it that was killed
    (tmp_path / ".case-0003.part" / "half").write_text("x")
    ready_case.clear()
    ended = []
    write_cohort(tmp_path, 3, 9, on_done=ended.append)
    assert [done.kept for done in ended] == [True, True, False]
    assert len(ready_case) == 1
    assert digests(tmp_path / "case-0001") == before == digests(tmp_path / "case-0003")
    assert not (tmp_path / ".case-0003.part").exists()
    write_cohort(tmp_path, 1, 9)  # asking for less takes nothing away, not from the list either
    assert len(json.loads((tmp_path / "cohort.json").read_text())["cases"]) == 3


@pytest.mark.parametrize("change", [{"seed": 10}, {"classes": TWO}, {"formats": [CaseFormat.DICOM]}])
def test_cases_of_another_cohort_are_never_touched(ready_case, tmp_path: Path, change: dict[str, object]):
    write_cohort(tmp_path, 1, 9)
    before = digests(tmp_path)
    with pytest.raises(ExportError) as caught:
        write_cohort(tmp_path, **{"n": 2, "seed": 9, **change})
    assert caught.value.code == "output_exists"
    assert caught.value.hint
    assert digests(tmp_path) == before


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"cases": []}'])
def test_a_case_folder_of_unknown_origin_is_not_touched(ready_case, tmp_path: Path, content: str | None):
    (tmp_path / "case-0001").mkdir()
    (tmp_path / "case-0001" / "scan.nii").write_text("precious")
    if content is not None:
        (tmp_path / "cohort.json").write_text(content)
    before = digests(tmp_path)
    with pytest.raises(ExportError, match="output_exists"):
        write_cohort(tmp_path, 1, 9)
    assert digests(tmp_path) == before


def test_an_interrupted_case_leaves_no_folder(monkeypatch, ready_case, tmp_path: Path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(cohort._WRITERS, CaseFormat.DICOM, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_cohort(tmp_path, 1, 9, formats=tuple(CaseFormat))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cohort.csv", "cohort.json"]


def test_a_place_that_cannot_be_written_is_told(ready_case, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError, match="not_writable"):
        write_cohort(tmp_path / "file", 1, 9)


def test_a_process_that_dies_is_told(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(cohort, "_write_case", die)
    with pytest.raises(TohMriError, match="worker_died"):
        write_cohort(tmp_path, 2, 9, jobs=2)


@pytest.mark.parametrize(
    "wrong",
    [{"n": 0}, {"visits": 0}, {"seed": -1}, {"classes": ()}, {"difficulties": ()}, {"formats": ()}, {"jobs": 0}],
)
def test_requests_that_make_no_sense_are_refused(tmp_path: Path, wrong: dict[str, object]):
    with pytest.raises(ValueError, match="at least one"):
        write_cohort(tmp_path / "out", **{"n": 1, "seed": 0, **wrong})
    assert not (tmp_path / "out").exists()


def test_names_stand_for_classes_and_difficulties():
    named = plan_cohort(4, 2, classes=("ON", "TOH"), difficulties=("hard",))
    assert named == plan_cohort(4, 2, classes=(Disease.ON, Disease.TOH), difficulties=(Difficulty.HARD,))
    assert all(isinstance(plan.disease, Disease) for plan in named)


@pytest.mark.parametrize(
    ("wrong", "known"),
    [
        ({"classes": ("AVN",)}, Disease),
        ({"difficulties": ("brutal",)}, Difficulty),
        ({"formats": ("png",)}, CaseFormat),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(tmp_path: Path, wrong: dict[str, object], known: type):
    with pytest.raises(ValueError, match=f"is not one of {', '.join(known)}"):
        write_cohort(tmp_path / "out", 1, 0, **wrong)
    assert not (tmp_path / "out").exists()
