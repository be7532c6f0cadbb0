"""Runs studies one after the other into one output folder."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from toh_mri.core.config import Config
from toh_mri.core.errors import ConfigError, ExportError, InputError, TohMriError
from toh_mri.core.hip import Status
from toh_mri.core.record import StudyRecord
from toh_mri.core.study import Study, StudyIndex
from toh_mri.export import KeyEntry, OutputFolder, StudyTiming, begin_run, finish_run, update_key
from toh_mri.io import pseudonyms, read_study, salt_of
from toh_mri.pipeline import analyze_study, failed_record
from toh_mri.pipeline.result import save_cohort, save_study

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one study. `kept`: an earlier result was still good, and nothing was done."""

    record: StudyRecord
    kept: bool
    seconds: float


@dataclass(frozen=True)
class Summary:
    """What became of all: how many studies per status, how many were kept, where the pages are."""

    statuses: Counter[Status]
    kept: int
    index_page: Path
    study_pages: tuple[Path, ...]


def run_studies(
    indices: Sequence[StudyIndex],
    out: Path,
    config: Config,
    *,
    command: str,
    force: bool = False,
    on_done: Callable[[Outcome], None] = lambda _: None,
) -> Summary:
    """Analyse studies in the order given and write their results; one that fails does not stop the others.

    A study is kept as it is when its record in `out` did not fail and has the same program version,
    configuration and input content. Tables and pages are made from all records in `out` at the end, also when
    the run is interrupted.

    Parameters
    ----------
    indices : sequence of StudyIndex
    out : Path
        New, empty, or made by an earlier run.
    config : Config
        Without a salt, the one kept in `out` is used.
    command : str
        What the user asked for, for ``run.json``.
    force : bool
        Analyse every study again.
    on_done : callable
        Called after each study.

    Raises
    ------
    ExportError
        ``not_our_folder``, ``not_writable``; ``study_id_taken`` where a study without identifiers has the name of
        another that is already there.
    ConfigError
        The configuration cannot be used.
    """
    output = OutputFolder(out)
    begin_run(out, command, version("toh-mri"), config)
    if config.io.salt is None:
        config = config.model_copy(update={"io": config.io.model_copy(update={"salt": salt_of(out)})})
    timings: list[StudyTiming] = []
    entries: list[KeyEntry] = []
    try:
        for index, copy in _numbered(indices, config):
            outcome = _run_study(index, copy, output, config, force=force)
            record = outcome.record
            timings.append(StudyTiming(record.study_id, str(record.status), outcome.kept, outcome.seconds))
            entries.append(KeyEntry(record.study_id, record.patient_id, index))
            on_done(outcome)
    finally:
        update_key(out, entries)
        page = save_cohort(output)
        finish_run(out, tuple(timings))
    return Summary(
        statuses=Counter(Status(timing.status) for timing in timings),
        kept=sum(timing.kept for timing in timings),
        index_page=page,
        study_pages=tuple(output.report_of(timing.study_id) for timing in timings),
    )


def _numbered(indices: Iterable[StudyIndex], config: Config) -> Iterable[tuple[StudyIndex, int]]:
    """Count how often each study came before: 0 for the first, more for copies of it."""
    seen: Counter[str] = Counter()
    for index in indices:
        study_id = pseudonyms(index.identity, config.io).study_id
        yield index, seen[study_id]
        seen[study_id] += 1


def _run_study(index: StudyIndex, copy: int, output: OutputFolder, config: Config, *, force: bool) -> Outcome:
    started = perf_counter()
    kept = False
    try:
        record, kept = _analyze(index, copy, output, config, force=force)
    except (ConfigError, ExportError):
        raise
    except TohMriError as error:
        record = _save_failure(index, copy, output, error, config)
    except Exception as error:  # noqa: BLE001 - one study's surprise must not cost the others their results
        _log.debug("unexpected error", exc_info=True)
        record = _save_failure(index, copy, output, _internal_error(error), config)
    return Outcome(record, kept, perf_counter() - started)


def _analyze(
    index: StudyIndex, copy: int, output: OutputFolder, config: Config, *, force: bool
) -> tuple[StudyRecord, bool]:
    """Return the record of a study, and whether it is an earlier one that is still good."""
    if copy:
        raise InputError(
            "duplicate_study",
            "The same study was found more than once; this copy was not analysed.",
            "Keep one copy below the root, or analyse the copies into folders of their own.",
        )
    study = read_study(index, config.io)
    earlier = output.earlier_record(study.study_id, study.content_hash, index)
    if earlier is not None and not force and is_current(earlier, study, config):
        return earlier, True
    result = analyze_study(study, config)
    save_study(output, result.record, result.hips)
    return result.record, False


def _save_failure(
    index: StudyIndex, copy: int, output: OutputFolder, error: TohMriError, config: Config
) -> StudyRecord:
    record = failed_record(index, error, config)
    if copy:
        record = record.model_copy(update={"study_id": f"{record.study_id}-copy{copy + 1}"})
    output.earlier_record(record.study_id, record.provenance.content_hash, index)
    save_study(output, record, {})
    return record


def is_current(record: StudyRecord, study: Study, config: Config) -> bool:
    """Tell whether analysing the study again would give the same record; failed ones are always retried."""
    made = record.provenance
    return (
        record.status is not Status.FAILED
        and made.version == version("toh-mri")
        and made.config_hash == config.fingerprint()
        and made.content_hash == study.content_hash
    )


def _internal_error(error: Exception) -> TohMriError:
    """Describe a defect of this program by its kind and place only: its text may hold what the input says."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}, line {frame.lineno}"
    return TohMriError(
        "internal_error",
        f"The program itself failed: {type(error).__name__} in {place}.",
        "Run again with --verbose for the details, and report them.",
    )
