"""Which study of the results is which case of the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toh_mri.evaluation.results import StudyOutcome
from toh_mri.evaluation.truth import Case


@dataclass(frozen=True)
class Pairing:
    """Studies with their cases, and what found no partner."""

    pairs: tuple[tuple[StudyOutcome, Case], ...]
    studies_alone: tuple[StudyOutcome, ...]
    cases_alone: tuple[Case, ...]


def pair(studies: Sequence[StudyOutcome], cases: Sequence[Case]) -> Pairing:
    """Match studies to cases.

    A study belongs to the case whose folder holds its source; else to the case that is named like a folder on the
    way to its source, the deepest first; else to the case whose name is a part of its ``study_id``.
    """
    found = [(study, _case_of(study, cases)) for study in studies]
    taken = {case.folder for _, case in found if case is not None}
    return Pairing(
        pairs=tuple((study, case) for study, case in found if case is not None),
        studies_alone=tuple(study for study, case in found if case is None),
        cases_alone=tuple(case for case in cases if case.folder not in taken),
    )


def _case_of(study: StudyOutcome, cases: Sequence[Case]) -> Case | None:
    names: list[str] = []
    if study.source_folder is not None:
        holding = [c for c in cases if study.source_folder.is_relative_to(c.folder.resolve())]
        if holding:
            return max(holding, key=lambda case: len(case.folder.parts))
        names = [*reversed(study.source_folder.parts)]
    by_name = {case.folder.name: case for case in cases}
    names += [study.study_id, *reversed(study.study_id.split("__"))]
    return next((by_name[name] for name in names if name in by_name), None)
