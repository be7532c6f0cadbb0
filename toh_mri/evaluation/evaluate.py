"""Results against truth: from two folders to rows and figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from toh_mri.core.errors import InputError
from toh_mri.core.record import NOTICE
from toh_mri.evaluation.compare import Row, compare_case
from toh_mri.evaluation.matching import Pairing, pair
from toh_mri.evaluation.readers import compare_readers
from toh_mri.evaluation.results import StudyOutcome, read_results
from toh_mri.evaluation.summary import Figures, ReaderAgreement, between_readers, figures, grouped
from toh_mri.evaluation.truth import Case, find_cases
from toh_mri.geometry import Side


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes
    ----------
    hips, readers : tuple of Row
        Rows of ``evaluation_hips.csv`` and ``evaluation_readers.csv``.
    by_reader : dict of str to Figures
    by_group : dict of str to dict of str to dict of str to Figures
        By reader, by what is grouped by, by group.
    between : tuple of ReaderAgreement
    pairing : Pairing
    hips_alone : tuple of (study_id, side)
        Hips of the results that no truth speaks of.
    synthetic : bool
        Whether the truth comes from a generator.
    """

    hips: tuple[Row, ...]
    readers: tuple[Row, ...]
    by_reader: dict[str, Figures]
    by_group: dict[str, dict[str, dict[str, Figures]]]
    between: tuple[ReaderAgreement, ...]
    pairing: Pairing
    hips_alone: tuple[tuple[str, Side], ...]
    synthetic: bool

    @property
    def readers_not_compared(self) -> tuple[Row, ...]:
        """Rows of `readers` that hold a reason and no figures."""
        return tuple(row for row in self.readers if row["reason"])

    def as_json(self) -> dict[str, object]:
        """Return the figures as they stand in ``evaluation.json``."""
        return {
            "notice": NOTICE,
            "synthetic": self.synthetic,
            "studies_without_truth": [study.study_id for study in self.pairing.studies_alone],
            "cases_without_study": [case.name for case in self.pairing.cases_alone],
            "hips_without_truth": [f"{study_id} {side}" for study_id, side in self.hips_alone],
            "readers": {
                name: {"all": asdict(made), "by": _plain(self.by_group[name])} for name, made in self.by_reader.items()
            },
            "between_readers": [asdict(item) for item in self.between],
            "readers_not_compared": [
                {key: row[key] for key in ("case", "side", "reader_a", "reader_b", "reason")}
                for row in self.readers_not_compared
            ],
        }


def evaluate(results: Path, truth: Path) -> Evaluation:
    """Compare an output folder of this program with a folder of truths; see ``docs/evaluate.md`` for its layout.

    Raises
    ------
    InputError
        ``no_results``, ``no_truth``, ``no_match`` where no study has a case, ``truth_grids_differ``,
        ``json_unreadable``, ``truth_value_unusable``, ``cell_not_a_number``, and the errors of `toh_mri.io.read_nifti`.
    """
    cases = find_cases(truth)
    pairing = pair(read_results(results), cases)
    if not pairing.pairs:
        raise InputError(
            "no_match",
            f"None of {len(pairing.studies_alone)} studies belongs to one of {len(cases)} cases.",
            "Name each case folder like the study's folder or its study_id in hips.csv.",
        )
    rows = [
        row for study, case in pairing.pairs for reader in case.readers for row in compare_case(study, case, reader)
    ]
    rows += [row for case in pairing.cases_alone for reader in case.readers for row in compare_case(None, case, reader)]
    rows.sort(key=lambda row: tuple(str(row.get(key) or "") for key in ("case", "study_id", "side", "reader")))
    pairs_of_readers = tuple(row for study, case in pairing.pairs for row in compare_readers(study, case))
    names = sorted({str(row["reader"]) for row in rows})
    by_reader = {name: [row for row in rows if row["reader"] == name] for name in names}
    return Evaluation(
        hips=tuple(rows),
        readers=pairs_of_readers,
        by_reader={name: figures(own) for name, own in by_reader.items()},
        by_group={name: grouped(own) for name, own in by_reader.items()},
        between=between_readers([row for row in pairs_of_readers if not row["reason"]]),
        pairing=pairing,
        hips_alone=tuple((study.study_id, side) for study, case in pairing.pairs for side in _unknown(study, case)),
        synthetic=any(reader.is_synthetic for case in cases for reader in case.readers),
    )


def _unknown(study: StudyOutcome, case: Case) -> list[Side]:
    return [side for side in study.hips if all(reader.sides and side not in reader.sides for reader in case.readers)]


def _plain(groups: dict[str, dict[str, Figures]]) -> dict[str, dict[str, object]]:
    return {title: {name: asdict(made) for name, made in group.items()} for title, group in groups.items()}
