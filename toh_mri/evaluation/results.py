"""An output folder of this program, as an evaluation reads it: tables, masks, and where the images are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

from toh_mri.core.errors import InputError
from toh_mri.evaluation.files import read_csv, read_json
from toh_mri.geometry import Image, Side
from toh_mri.io import read_nifti
from toh_mri.measure import FEATURES

_NEEDED = frozenset({"study_id", "side", "status", "reason", "pattern", "probability_on", "reference_series"})

_NUMBERS = (
    *("probability_on", "segmentation_confidence", "slice_spacing_mm", "neck_axis_x", "neck_axis_y", "neck_axis_z"),
    *(feature.name for feature in FEATURES if feature.unit != "-"),
)
"""Columns that hold numbers, whether a truth has something to compare them with or not."""

_Numbered = tuple[int, Mapping[str, str]]


@dataclass(frozen=True)
class HipOutcome:
    """One row of ``hips.csv`` (its number, the header being 1) and the folder of its masks."""

    row: int
    side: Side
    cells: Mapping[str, str]
    folder: Path

    def text(self, column: str) -> str | None:
        """Return a cell; None where it is empty or the column is not there."""
        return self.cells.get(column) or None

    def number(self, column: str) -> float | None:
        """Return a cell as a number; None where it is empty.

        Raises
        ------
        InputError
            ``cell_not_a_number`` where it holds anything else.
        """
        text = self.text(column)
        try:
            value = None if text is None else float(text)
        except ValueError:
            value = nan
        if value is not None and not isfinite(value):
            raise self.unreadable(column, "cell_not_a_number", "is no number")
        return value

    def unreadable(self, column: str, code: str, problem: str) -> InputError:
        """Return the error that names a cell."""
        return InputError(
            code,
            f"hips.csv, row {self.row} ({self.cells.get('study_id')}, {self.side}), column {column}: "
            f"'{self.cells.get(column)}' {problem}.",
            "Make the results again, or mend the cell; an empty cell says that a value was not measured.",
        )

    def truth_value(self, column: str) -> bool | None:
        """Return a cell that holds true or false; None where it is empty."""
        return {"true": True, "false": False}.get(self.cells.get(column, ""))

    @property
    def flags(self) -> frozenset[str]:
        """The flags of the hip."""
        return frozenset(self.cells.get("flags", "").split(";")) - {""}

    @property
    def head_center(self) -> tuple[float, float, float] | None:
        """Centre of the head, LPS mm."""
        x, y, z = (self.number(f"head_center_{axis}_mm") for axis in "xyz")
        return None if x is None or y is None or z is None else (x, y, z)

    @property
    def neck_axis(self) -> tuple[float, float, float] | None:
        """Direction of the neck's axis, LPS; None where the results do not state it."""
        x, y, z = (self.number(f"neck_axis_{axis}") for axis in "xyz")
        return None if x is None or y is None or z is None or not any((x, y, z)) else (x, y, z)

    def mask(self, name: str) -> Image | None:
        """Return ``<name>.nii.gz`` of this hip; None where the program did not look for it."""
        path = self.folder / f"{name}.nii.gz"
        return read_nifti(path) if path.is_file() else None


@dataclass(frozen=True)
class StudyOutcome:
    """What became of one study.

    Attributes
    ----------
    study_id : str
    patient_id : str
        The study's own id where the results do not tell patients apart.
    hips : mapping of Side to HipOutcome
        Empty where the study failed as a whole.
    reason : str or None
        Why it failed as a whole.
    source_folder : Path or None
        Where its images are; None without ``key.csv``.
    descriptions : mapping of str to str
        Series name to the name that the source gives it.
    contrasts : mapping of str to str
        Series name to contrast, as in ``study.json``.
    """

    study_id: str
    patient_id: str
    hips: Mapping[Side, HipOutcome]
    reason: str | None
    source_folder: Path | None
    descriptions: Mapping[str, str]
    contrasts: Mapping[str, str]


def read_results(folder: Path) -> tuple[StudyOutcome, ...]:
    """Read an output folder of this program, studies by id.

    Raises
    ------
    InputError
        ``no_results`` if it holds no ``hips.csv``, or one without the columns that are needed; ``side_not_known``;
        ``cell_not_a_number``.
    """
    rows = read_csv(folder / "hips.csv")
    if not rows or not _NEEDED.issubset(rows[0]):
        raise InputError(
            "no_results",
            f"{folder}: holds no hips.csv with results of toh-mri.",
            "Give the folder that 'toh-mri batch' or 'toh-mri analyze' wrote.",
        )
    key = {row["study_id"]: row for row in read_csv(folder / "key.csv")}
    by_study: dict[str, list[_Numbered]] = defaultdict(list)
    for number, row in enumerate(rows, start=2):
        by_study[row["study_id"]].append((number, row))
    return tuple(_study(folder, study_id, by_study[study_id], key.get(study_id, {})) for study_id in sorted(by_study))


def _study(folder: Path, study_id: str, rows: list[_Numbered], key: Mapping[str, str]) -> StudyOutcome:
    place = folder / "studies" / study_id
    hips = [_hip(number, row, place) for number, row in rows if row["side"]]
    named = (item.partition("=") for item in key.get("source_series", "").split("; ") if "=" in item)
    return StudyOutcome(
        study_id=study_id,
        patient_id=rows[0][1].get("patient_id") or study_id,
        hips={hip.side: hip for hip in sorted(hips, key=lambda hip: hip.side)},
        reason=None if hips else rows[0][1]["reason"] or "failed",
        source_folder=Path(key["source_folder"]) if key.get("source_folder") else None,
        descriptions={name: description for name, _, description in named},
        contrasts=_contrasts(place / "study.json"),
    )


def _hip(number: int, row: Mapping[str, str], place: Path) -> HipOutcome:
    if row["side"] not in set(Side):
        raise InputError(
            "side_not_known",
            f"hips.csv, row {number} ({row['study_id']}), column side: '{row['side']}' is neither left nor right.",
            "Make the results again, or mend the cell.",
        )
    hip = HipOutcome(number, Side(row["side"]), row, place / f"hip-{row['side']}")
    for column in _NUMBERS:
        hip.number(column)  # refuses a cell that is none, before anything is compared
    return hip


def _contrasts(path: Path) -> dict[str, str]:
    infos = [series["info"] for series in read_json(path, f"{path.parent.name}/{path.name}").get("series", [])]
    return {info["name"]: info["role"]["contrast"] for info in infos if info.get("role")}
