"""The result of one study, and how results become files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from toh_mri.core.config import Config
from toh_mri.core.hip import HipResult
from toh_mri.core.record import StudyRecord
from toh_mri.core.study import Study
from toh_mri.export import (
    KeyEntry,
    OutputFolder,
    Row,
    StudyTiming,
    begin_run,
    finish_run,
    study_rows,
    update_key,
)
from toh_mri.geometry import Side
from toh_mri.report import cohort_page, hip_preview, study_page


@dataclass(frozen=True)
class StudyResult:
    """One analysed study: the record, and the images and masks behind it.

    Attributes
    ----------
    record : StudyRecord
        What ``study.json`` holds.
    hips : mapping of Side to HipResult
        The hips in view; ``result.hips["left"]`` works as well.
    study : Study
        What was analysed.
    """

    record: StudyRecord
    hips: Mapping[Side, HipResult]
    study: Study

    def to_rows(self) -> list[Row]:
        """Return the rows of ``hips.csv`` for this study; an absent value is None."""
        return study_rows(self.record)

    def save(self, out: str | Path) -> Path:
        """Write the study's files below `out` and bring its tables up to date; returns the report.

        Raises
        ------
        ExportError
            ``not_our_folder`` if `out` holds anything but results of this program; ``study_id_taken`` if it holds
            another study of this name; ``not_writable``.
        """
        started = perf_counter()
        output = OutputFolder(out)
        config = Config.from_mapping(self.record.provenance.config)
        output.earlier_record(self.record.study_id, self.record.provenance.content_hash, self.study.index)
        begin_run(output.path, "save", self.record.provenance.version, config)
        report = save_study(output, self.record, self.hips)
        update_key(output.path, [KeyEntry(self.record.study_id, self.record.patient_id, self.study.index)])
        save_cohort(output)
        timing = StudyTiming(
            self.record.study_id, str(self.record.status), kept=False, seconds=perf_counter() - started
        )
        finish_run(output.path, (timing,))
        return report


def save_study(output: OutputFolder, record: StudyRecord, hips: Mapping[Side, HipResult]) -> Path:
    """Write one study's folder, its report included; returns the path of the report."""
    settings = Config.from_mapping(record.provenance.config).report
    previews = {side: hip_preview(hips[side], settings) for side in hips}
    return output.write_study(record, hips, study_page(record, hips, settings), previews)


def save_cohort(output: OutputFolder) -> Path:
    """Make tables and the cohort's page again from all records in the folder; returns the page."""
    tables = output.write_tables()
    return output.write_index(cohort_page(tables.hips, tables.failures, tables.pages, tables.previews))
