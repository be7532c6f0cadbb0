import csv
import json
from pathlib import Path

import pytest

import toh_mri.batch.runner as runner
from tests.export.handmade import failed_study_record, hip_result, study_index, study_record, study_value
from toh_mri.core.config import Config
from toh_mri.core.errors import ConfigError, InputError
from toh_mri.core.hip import Status
from toh_mri.core.record import Failure
from toh_mri.geometry import Side
from toh_mri.io import pseudonyms
from toh_mri.pipeline.result import StudyResult


class Chain:
    """Stands in for reading and analysing; counts what it was asked for."""

    def __init__(self, monkeypatch):
        self.analysed = []
        self.content = {}
        self.trouble = {}
        monkeypatch.setattr(runner, "read_study", self.read)
        monkeypatch.setattr(runner, "analyze_study", self.analyze)
        monkeypatch.setattr(runner, "failed_record", self.failed)
        monkeypatch.setattr(runner, "version", lambda _: "0.0.0")

    def read(self, index, config):
        study_id = pseudonyms(index.identity, config).study_id
        return study_value(index, study_id, self.content.get(index.path.name, "c" * 64))

    def analyze(self, study, config):
        name = study.index.path.name
        self.analysed.append(name)
        if name in self.trouble:
            raise self.trouble[name]
        record = study_record(study.study_id)
        provenance = record.provenance.model_copy(
            update={"config_hash": config.fingerprint(), "content_hash": study.content_hash}
        )
        record = record.model_copy(update={"provenance": provenance})
        return StudyResult(record, {Side.LEFT: hip_result()}, study)

    def failed(self, index, error, config):
        record = failed_study_record(pseudonyms(index.identity, config.io).study_id)
        return record.model_copy(update={"failure": Failure.of(error)})


@pytest.fixture
def chain(monkeypatch):
    return Chain(monkeypatch)


def indices(*names):
    return [study_index(Path("root") / name, study=f"1.2.{name}") for name in names]


def run(out, names, config=None, **options):
    return runner.run_studies(indices(*names), out, config or Config(), command="test", **options)


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def contents(out):
    return {
        p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != "run.json"
    }


def test_every_study_gets_its_files_and_a_row(chain, tmp_path):
    summary = run(tmp_path, "ab")
    assert summary.statuses == {Status.REVIEW: 2}
    assert len(read(tmp_path / "hips.csv")) == 2
    assert summary.index_page.is_file()
    assert all(page.is_file() for page in summary.study_pages)
    assert len(read(tmp_path / "key.csv")) == 2


def test_a_second_run_analyses_nothing_and_changes_nothing(chain, tmp_path):
    run(tmp_path, "ab")
    before = contents(tmp_path)
    summary = run(tmp_path, "ab")
    assert chain.analysed == ["a", "b"]
    assert summary.kept == 2
    assert contents(tmp_path) == before


def test_an_added_study_keeps_the_others(chain, tmp_path):
    run(tmp_path, "a")
    run(tmp_path, "b")
    assert len(read(tmp_path / "hips.csv")) == 2
    assert len(read(tmp_path / "key.csv")) == 2


@pytest.mark.parametrize("change", ["force", "config", "content", "version", "damage"])
def test_a_result_that_is_not_current_is_made_again(chain, tmp_path, monkeypatch, change):
    run(tmp_path, "a")
    config = Config()
    if change == "config":
        config = config.with_overrides(["report.slices_per_hip=2"])
    if change == "content":
        chain.content["a"] = "d" * 64
    if change == "version":
        monkeypatch.setattr(runner, "version", lambda _: "9.9.9")
    if change == "damage":
        next(tmp_path.glob("studies/*/study.json")).write_text("{}")
    run(tmp_path, "a", config, force=change == "force")
    assert chain.analysed == ["a", "a"]


def test_a_failed_study_stops_no_other_and_is_tried_again(chain, tmp_path):
    chain.trouble["a"] = InputError("no_usable_series", "No series fits.", "See the plan.")
    summary = run(tmp_path, "ab")
    assert summary.statuses == {Status.FAILED: 1, Status.REVIEW: 1}
    assert [row["code"] for row in read(tmp_path / "failures.csv")] == ["no_usable_series"]
    chain.trouble.clear()
    assert run(tmp_path, "ab").statuses == {Status.REVIEW: 2}
    assert chain.analysed == ["a", "b", "a"]
    assert read(tmp_path / "failures.csv") == []


def test_a_defect_of_the_program_is_recorded_without_the_inputs_words(chain, tmp_path):
    chain.trouble["a"] = ValueError("DOE^JANE is no number")
    run(tmp_path, "ab")
    (failure,) = read(tmp_path / "failures.csv")
    assert failure["code"] == "internal_error"
    assert "ValueError" in failure["message"]
    assert not any(b"DOE^JANE is" in text for text in contents(tmp_path).values())


def test_a_wrong_configuration_stops_the_run(chain, tmp_path):
    chain.trouble["a"] = ConfigError("config_invalid", "No.")
    with pytest.raises(ConfigError):
        run(tmp_path, "ab")


def test_an_interrupted_run_leaves_its_finished_studies_in_the_tables(chain, tmp_path):
    chain.trouble["b"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "abc")
    assert len(read(tmp_path / "hips.csv")) == 1
    assert len(read(tmp_path / "key.csv")) == 1
    chain.trouble.clear()
    assert run(tmp_path, "abc").kept == 1


def test_a_copy_of_a_study_is_named_and_the_first_one_counts(chain, tmp_path):
    twice = [*indices("a"), study_index(Path("elsewhere"), study="1.2.a")]
    summary = runner.run_studies(twice, tmp_path, Config(), command="test")
    assert summary.statuses == {Status.REVIEW: 1, Status.FAILED: 1}
    ids = [row["study_id"] for row in read(tmp_path / "hips.csv")]
    assert ids[1] == f"{ids[0]}-copy2"
    assert read(tmp_path / "failures.csv")[0]["code"] == "duplicate_study"


def test_pseudonyms_stay_the_same_because_the_salt_stays_with_the_output(chain, tmp_path):
    run(tmp_path / "one", "a")
    run(tmp_path / "one", "a", force=True)
    run(tmp_path / "two", "a")
    names = [{p.name for p in (tmp_path / out / "studies").iterdir()} for out in ("one", "two")]
    assert len(names[0]) == 1
    assert names[0].isdisjoint(names[1])


def test_run_json_tells_what_was_done_and_how_long_it_took(chain, tmp_path):
    run(tmp_path, "a")
    run(tmp_path, "a")
    runs = json.loads((tmp_path / "run.json").read_text())["runs"]
    assert [item["studies"][0]["kept"] for item in runs] == [False, True]
    assert all(item["finished"] for item in runs)
    assert "salt" not in runs[0]["config"]["io"]


def test_progress_is_told_after_each_study(chain, tmp_path):
    seen = []
    run(tmp_path, "ab", on_done=lambda outcome: seen.append(outcome.record.status))
    assert seen == [Status.REVIEW, Status.REVIEW]
