"""``key.csv``: the one file that maps pseudonyms to where they came from. Sensitive."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toh_mri.core.errors import ExportError
from toh_mri.core.study import StudyIndex
from toh_mri.core.tables import csv_text
from toh_mri.core.words import printable
from toh_mri.export.files import write_text

KEY_FILE = "key.csv"
NOTE_FILE = "key.csv.SENSITIVE.txt"
_NOTE = (
    "key.csv maps study_id and patient_id to patients, dates and source folders.\n"
    "It is written for you alone: keep it apart from the results, and do not share it with them.\n"
    "The same goes for salt.txt: with it, known patient numbers can be matched to pseudonyms.\n"
    "Every other file here can be understood without it.\n"
)
_COLUMNS = (
    *("study_id", "patient_id", "source_patient", "source_study", "source_date"),
    *("source_folder", "source_series"),
)


@dataclass(frozen=True)
class KeyEntry:
    """Which source a study came from."""

    study_id: str
    patient_id: str
    index: StudyIndex

    def as_row(self) -> dict[str, str]:
        """Return one row of ``key.csv``."""
        identity = self.index.identity
        row = {
            "study_id": self.study_id,
            "patient_id": self.patient_id,
            "source_patient": identity.patient or "",
            "source_study": identity.study or "",
            "source_date": identity.date or "",
            "source_folder": str(self.index.path.resolve()),
            "source_series": "; ".join(f"{s.info.name}={s.description}" for s in self.index.sources),
        }
        return {column: printable(text) for column, text in row.items()}


def refuse_taken(out: Path, study_id: str, index: StudyIndex) -> None:
    """Refuse a study whose id stands in ``key.csv`` for another source.

    Only inputs without identifiers can meet this: they are named after their folder.

    Raises
    ------
    ExportError
        ``study_id_taken``.
    """
    if index.identity.study is not None:
        return
    for row in _read(out / KEY_FILE):
        if row["study_id"] == study_id and row["source_folder"] != printable(str(index.path.resolve())):
            raise ExportError(
                "study_id_taken",
                f"{printable(str(out))} already holds a study named {study_id}, from another folder.",
                "Use another output folder, or run batch on the folder above both studies, which names them apart.",
            )


def update_key(out: Path, entries: Iterable[KeyEntry]) -> None:
    """Add studies to ``key.csv``, or replace their rows; the others stay."""
    path = out / KEY_FILE
    rows = {row["study_id"]: row for row in _read(path)}
    rows |= {entry.study_id: entry.as_row() for entry in entries}
    write_text(path, csv_text([rows[name] for name in sorted(rows)], _COLUMNS), private=True)
    write_text(out / NOTE_FILE, _NOTE)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
