"""Which input a command is told to take: missing slices, chosen series; and names that no terminal likes."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import toh_mri.batch
import toh_mri.io
from tests.export.handmade import series_info, study_index, study_record
from toh_mri.batch import Outcome, Summary
from toh_mri.batch.runner import Counter
from toh_mri.cli.main import main
from toh_mri.core.study import Contrast, Exclusion, SkippedFile
from toh_mri.io.series import IndexedSeries

ODD = "caf\udce9 \u5c71 \U0001f600 \x1b[31m\nst\ud800ir"


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["toh-mri", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


@pytest.fixture
def asked(monkeypatch):
    """Find one study without looking, run nothing, and note how both were asked for."""
    asked = {}

    def index_study(path, config, **chosen):
        asked.update(config=config, **chosen)
        return study_index()

    def find_studies(path, config):
        asked.update(config=config)
        return (study_index(),)

    def run_studies(indices, out, config, *, on_done, **_):
        asked.update(run_config=config)
        record = study_record()
        on_done(Outcome(record, kept=False, seconds=1.0))
        return Summary(Counter([record.status]), 0, out / "index.html", (out / "page.html",))

    monkeypatch.setattr(toh_mri.io, "index_study", index_study)
    monkeypatch.setattr(toh_mri.io, "find_studies", find_studies)
    monkeypatch.setattr(toh_mri.batch, "run_studies", run_studies)
    return asked


@pytest.mark.parametrize("command", ["analyze", "batch", "plan"])
def test_missing_slices_are_allowed_where_asked_for_only(monkeypatch, asked, tmp_path, command):
    out = () if command == "plan" else ("--out", tmp_path / "out")
    call(monkeypatch, command, tmp_path, *out)
    assert asked["config"].allow_missing_slices is False
    call(monkeypatch, command, tmp_path, *out, "--allow-missing-slices")
    assert asked["config"].allow_missing_slices is True
    if command != "plan":
        assert asked["run_config"].io == asked["config"]


def test_the_series_to_take_are_given_by_their_files(monkeypatch, asked, tmp_path):
    t1, fluid = tmp_path / "one.nii.gz", tmp_path / "two"
    for path in (t1, fluid):
        path.touch()
    assert call(monkeypatch, "analyze", tmp_path, "--out", tmp_path / "out", "--t1", t1, "--fluid", fluid) == 0
    assert (asked["t1"], asked["fluid"]) == (t1, fluid)
    call(monkeypatch, "analyze", tmp_path, "--out", tmp_path / "out", "--fluid", fluid)
    assert (asked["t1"], asked["fluid"]) == (None, fluid)


@pytest.mark.parametrize("option", ["--t1", "--fluid"])
def test_a_file_that_is_not_there_is_wrong_usage(monkeypatch, asked, tmp_path, option):
    assert call(monkeypatch, "analyze", tmp_path, "--out", tmp_path / "out", option, tmp_path / "nowhere.nii") == 2
    assert call(monkeypatch, "analyze", tmp_path, "--out", tmp_path / "out", option, tmp_path) == 2
    assert asked == {}


def test_a_file_that_is_not_of_the_study_is_told(monkeypatch, capsys, sample_data, tmp_path):
    other = sample_data / "normal_both" / "nifti" / "COR_T1.nii.gz"
    study = sample_data / "toh_right" / "nifti"
    assert call(monkeypatch, "analyze", study, "--out", tmp_path / "out", "--t1", other) == 2
    assert "[file_not_in_study]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def odd_index():
    info = series_info("COR_STIR", Contrast.STIR).model_copy(update={"missing_slices": (3, 4)})
    skipped = SkippedFile(Path("study") / ODD, Exclusion(code="empty_file", message="The file is empty."))
    source = IndexedSeries(info, (), None, ODD, notes=(ODD,))
    return replace(study_index(), path=Path("in") / ODD, sources=(source,), skipped=(skipped,))


@pytest.fixture
def odd_study(monkeypatch):
    monkeypatch.setattr(toh_mri.io, "find_studies", lambda *_: (odd_index(),))


def plan_on_terminal(monkeypatch, encoding, *arguments):
    """Return the bytes that 'plan' writes to a standard output of an encoding."""
    raw = io.BytesIO()
    with monkeypatch.context() as patch:
        stdout = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
        patch.setattr(sys, "stdout", stdout)
        assert call(patch, "plan", *arguments) == 0
        return raw.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_plan_prints_any_name_on_any_terminal(monkeypatch, odd_study, encoding, tmp_path):
    text = plan_on_terminal(monkeypatch, encoding, tmp_path)
    assert rb"caf\udce9" in text
    assert rb"\x1b[31m\nst\ud800ir" in text, "control characters reach no terminal"
    assert b"\x1b" not in text
    assert rb"      ! caf\udce9" in text, "what analyze would say of a series"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_plan_as_json_is_json_on_any_terminal(monkeypatch, odd_study, encoding, tmp_path):
    (study,) = json.loads(plan_on_terminal(monkeypatch, encoding, tmp_path, "--json").decode("ascii"))["studies"]
    shown = "caf\\udce9 \u5c71 \U0001f600 \\x1b[31m\\nst\\ud800ir"
    assert study["path"].endswith(shown)
    assert study["series"][0]["description"] == shown
    assert study["series"][0]["info"]["missing_slices"] == [3, 4]
    assert study["series"][0]["notes"] == [shown]
    assert study["skipped"][0]["examples"] == [shown]
