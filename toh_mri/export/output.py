"""The output folder: one folder per study, and the tables made from the studies' records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from toh_mri.core.errors import ExportError
from toh_mri.core.hip import HipResult
from toh_mri.core.record import Failure, StudyRecord
from toh_mri.core.study import StudyIndex
from toh_mri.core.tables import csv_text
from toh_mri.export.files import replaced_folder, write_text
from toh_mri.export.hip_files import PREVIEW_FILE, hip_file_names, hip_folder, write_hip
from toh_mri.export.key import refuse_taken
from toh_mri.export.run import is_ours
from toh_mri.export.tables import FAILURE_COLUMNS, Row, columns_of, failure_rows, study_rows
from toh_mri.geometry import Side

RECORD_FILE = "study.json"
REPORT_FILE = "report.html"
_STUDIES = "studies"
_OUR_FILES = hip_file_names() | {RECORD_FILE, REPORT_FILE}


@dataclass(frozen=True)
class Tables:
    """Rows of ``hips.csv`` and ``failures.csv``; each study's page and each hip's picture."""

    hips: tuple[Row, ...]
    failures: tuple[Row, ...]
    pages: Mapping[str, str]
    previews: Mapping[tuple[str, str], str]


class OutputFolder:
    """A folder that holds results of this program and nothing of anyone else's.

    Parameters
    ----------
    path : Path
        Made if it does not exist.

    Raises
    ------
    ExportError
        ``not_our_folder`` if it holds something else; ``not_writable``.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ExportError("not_our_folder", f"{self.path}: is a file.", "Give the name of a folder.")
        if self.path.exists() and any(self.path.iterdir()) and not is_ours(self.path):
            raise ExportError(
                "not_our_folder",
                f"{self.path}: holds files that are not results of toh-mri, so nothing is written there.",
                "Give an empty or new folder, or one that an earlier run made.",
            )
        try:
            (self.path / _STUDIES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExportError(
                "not_writable",
                f"{self.path}: cannot be made ({error.strerror}).",
                "Choose an output folder you may write to.",
            ) from error

    def study_folder(self, study_id: str) -> Path:
        """Return the folder of one study; its name is the study's id.

        Raises
        ------
        ExportError
            ``unsafe_study_id`` if the id is no plain file name (those made by `toh_mri.io` are).
        """
        if not study_id or study_id.startswith(".") or study_id != Path(study_id).name:
            raise ExportError("unsafe_study_id", f"The study id {study_id!r} cannot be the name of a folder.")
        return self.path / _STUDIES / study_id

    def write_study(
        self, record: StudyRecord, hips: Mapping[Side, HipResult], page: str, previews: Mapping[Side, str]
    ) -> Path:
        """Write everything about one study in place of what an earlier run wrote; returns its report.

        Parameters
        ----------
        record : StudyRecord
        hips : mapping of Side to HipResult
            The images and masks; empty for a study that failed as a whole.
        page : str
            The report, HTML.
        previews : mapping of Side to str
            One picture per hip in `hips`, SVG.
        """
        final = self.study_folder(record.study_id)
        with replaced_folder(final, _OUR_FILES) as folder:
            for side in sorted(hips):
                (folder / hip_folder(side)).mkdir()
                write_hip(folder / hip_folder(side), hips[side], record.hips[side])
                write_text(folder / hip_folder(side) / PREVIEW_FILE, previews[side])
            write_text(folder / REPORT_FILE, page)
            write_text(folder / RECORD_FILE, record.to_json())
        return final / REPORT_FILE

    def report_of(self, study_id: str) -> Path:
        """Return the path of one study's report."""
        return self.study_folder(study_id) / REPORT_FILE

    def record(self, study_id: str) -> StudyRecord | None:
        """Return the record of a finished study; None where there is none, or none that can be read."""
        try:
            return _read_record(self.study_folder(study_id) / RECORD_FILE)
        except ExportError:
            return None

    def earlier_record(self, study_id: str, content_hash: str | None, index: StudyIndex) -> StudyRecord | None:
        """Return the record an earlier run left of this study; None where there is none, or none that can be read.

        Parameters
        ----------
        study_id : str
        content_hash : str or None
            Of the study as it is now; None where it could not be read.
        index : StudyIndex
            Where it comes from.

        Raises
        ------
        ExportError
            ``study_id_taken`` where the record is of another source, to be told by ``key.csv``. The same content
            is the same study wherever it lies.
        """
        known = self.record(study_id)
        if known is not None and (content_hash is None or known.provenance.content_hash != content_hash):
            refuse_taken(self.path, study_id, index)
        return known

    def records(self) -> Iterator[tuple[Path, StudyRecord | ExportError]]:
        """Yield each study's folder with its record, or with the reason why that cannot be read."""
        for path in sorted((self.path / _STUDIES).glob(f"*/{RECORD_FILE}")):
            if path.parent.name.startswith("."):
                continue
            try:
                yield path.parent, _read_record(path)
            except ExportError as error:
                yield path.parent, error

    def write_tables(self) -> Tables:
        """Make ``hips.csv`` and ``failures.csv`` again from the records of all studies in the folder."""
        hips: list[Row] = []
        failures: list[Row] = []
        pages: dict[str, str] = {}
        previews: dict[tuple[str, str], str] = {}
        for path, record in self.records():
            folder = path.relative_to(self.path).as_posix()
            pages[path.name] = f"{folder}/{REPORT_FILE}"
            if isinstance(record, StudyRecord):
                hips += study_rows(record)
                failures += failure_rows(record)
                previews |= {(path.name, side): f"{folder}/{hip_folder(side)}/{PREVIEW_FILE}" for side in record.hips}
            else:
                failures.append({"study_id": path.name, "status": "failed", **Failure.of(record).model_dump()})
        write_text(self.path / "hips.csv", csv_text(hips, columns_of(hips)))
        write_text(self.path / "failures.csv", csv_text(failures, FAILURE_COLUMNS))
        return Tables(tuple(hips), tuple(failures), pages, previews)

    def write_index(self, page: str) -> Path:
        """Write the cohort's page; returns its path."""
        path = self.path / "index.html"
        write_text(path, page)
        return path


def _read_record(path: Path) -> StudyRecord:
    try:
        return StudyRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ExportError(
            "record_unreadable",
            f"{path.parent.name}/{path.name} is damaged or of another version.",
            "Analyse this study again.",
        ) from error
