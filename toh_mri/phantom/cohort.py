"""Cohorts: many cases drawn from one seed, written with their truth by any number of processes.

What a case is follows from the cohort's seed and the case's number alone: neither the number of processes nor
the number of cases changes it. A case is written into a hidden folder that is renamed when it is whole, so that
a folder ``case-0001`` is a finished case.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Listing
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from toh_mri.core.errors import ExportError, TohMriError
from toh_mri.geometry import Side
from toh_mri.phantom.case import PhantomCase, make_case
from toh_mri.phantom.course import FIRST_VISIT, Visit, draw_visits
from toh_mri.phantom.dicom import write_dicom_case
from toh_mri.phantom.disease import Disease
from toh_mri.phantom.nifti import write_nifti_case
from toh_mri.phantom.prescription import draw_series
from toh_mri.phantom.protocol import Difficulty, SeriesPlan
from toh_mri.phantom.streams import stream
from toh_mri.phantom.truth import SIDE_LETTER

Kind = TypeVar("Kind", bound=StrEnum)

_BILATERAL_SHARE = 0.25  # shares are the author's choice: no published mix of protocols is followed


# How often the other hip has the same disease, where both are in view. Osteonecrosis is bilateral in 40-70 % of
# patients (Klontzas 2023); the other shares are the author's choice.
_SAME_ON_OTHER_SIDE = {
    Disease.ON: 0.40,
    Disease.OA: 0.40,
    Disease.ARTHRITIS: 0.25,
    Disease.SIF: 0.05,
    Disease.REPLACEMENT: 0.60,
}


class CaseFormat(StrEnum):
    """How the images of a case are written."""

    NIFTI = "nifti"
    DICOM = "dicom"


_WRITERS = {CaseFormat.NIFTI: write_nifti_case, CaseFormat.DICOM: write_dicom_case}


@dataclass(frozen=True)
class CasePlan:
    """What one case of a cohort will be: the arguments of `make_case`, and its number from 1."""

    number: int
    seed: int
    disease: Disease
    side: Side
    bilateral: bool
    other: Disease
    field_strength_t: float
    difficulty: Difficulty
    series: tuple[SeriesPlan, ...]
    visit: Visit = FIRST_VISIT

    @property
    def name(self) -> str:
        """Name of the case and its folder."""
        later = "" if self.visit.number == 1 else f"-visit-{self.visit.number}"
        return f"case-{self.number:04d}{later}"

    def make(self) -> PhantomCase:
        """Make the case."""
        return make_case(
            self.seed,
            self.disease,
            side=self.side,
            bilateral=self.bilateral,
            other=self.other,
            visit=self.visit,
            field_strength_t=self.field_strength_t,
            difficulty=self.difficulty,
            plans=self.series,
        )


@dataclass(frozen=True)
class CaseDone:
    """What became of a case. `kept`: it was there already. `seconds`: making and writing it."""

    plan: CasePlan
    kept: bool
    seconds: float


def plan_cohort(
    n: int,
    seed: int,
    *,
    classes: Listing[Disease] = tuple(Disease),
    difficulties: Listing[Difficulty] = (Difficulty.STANDARD,),
    visits: int = 1,
) -> tuple[CasePlan, ...]:
    """Draw what the cases of a cohort are.

    Parameters
    ----------
    n : int
        Number of cases, >= 1. The first cases of a larger cohort are those of a smaller one.
    seed : int
        >= 0.
    classes, difficulties : sequence
        Members or their values (``"TOH"``, ``"hard"``). Each class comes once in every ``len(classes)`` cases, in
        random order; difficulties are drawn evenly.
    visits : int
        Of every person, >= 1. The first one is the same however many follow; the plans of one person stand
        together.

    Raises
    ------
    ValueError
        Without a case, a visit, a class or a difficulty, with a class or difficulty that is not known, or with a
        negative seed.
    """
    classes, difficulties = _members(classes, Disease), _members(difficulties, Difficulty)
    if min(n, visits) < 1 or seed < 0 or not classes or not difficulties:
        raise ValueError("a cohort needs at least one case, visit, class and difficulty, and a seed of 0 or more")
    first = (_plan(number, seed, classes, difficulties) for number in range(1, n + 1))
    return tuple(_at(visit, plan) for plan in first for visit in draw_visits(visits, plan.seed))


def _members(names: Listing[str], kinds: type[Kind]) -> tuple[Kind, ...]:
    """Return the members that are named; refuse what is none."""
    known = {str(kind): kind for kind in kinds}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"{unknown[0]!r} is not one of {', '.join(known)}")
    return tuple(known[name] for name in names)


def _plan(number: int, seed: int, classes: Listing[Disease], difficulties: Listing[Difficulty]) -> CasePlan:
    rng = stream(seed, f"cohort/case/{number}")
    block, place = divmod(number - 1, len(classes))
    disease = classes[stream(seed, f"cohort/classes/{block}").permutation(len(classes))[place]]
    case_seed = int(rng.integers(2**48))  # 15 digits: a spreadsheet keeps them
    side = (Side.LEFT, Side.RIGHT)[rng.integers(2)]
    bilateral = bool(rng.random() < _BILATERAL_SHARE)
    both = bilateral and stream(seed, f"cohort/other/{number}").random() < _SAME_ON_OTHER_SIDE.get(disease, 0.0)
    return CasePlan(
        number=number,
        seed=case_seed,
        disease=disease,
        side=side,
        bilateral=bilateral,
        other=disease if both else Disease.NORMAL,
        field_strength_t=(1.5, 3.0)[rng.integers(2)],
        difficulty=difficulties[int(rng.integers(len(difficulties)))],
        series=(),
    )


def _at(visit: Visit, plan: CasePlan) -> CasePlan:
    """Return the plan for one of a person's visits, with its series drawn."""
    series = draw_series(
        stream(visit.seed(plan.seed), "series"),
        field_strength_t=plan.field_strength_t,
        side=plan.side,
        bilateral=plan.bilateral,
    )
    return replace(plan, visit=visit, series=series)


def write_cohort(
    out: str | Path,
    n: int,
    seed: int,
    *,
    classes: Listing[Disease] = tuple(Disease),
    difficulties: Listing[Difficulty] = (Difficulty.STANDARD,),
    formats: Listing[CaseFormat] = (CaseFormat.NIFTI,),
    visits: int = 1,
    jobs: int = 1,
    on_done: Callable[[CaseDone], None] = lambda _: None,
) -> tuple[CasePlan, ...]:
    """Write a cohort: ``case-0001/…``, ``cohort.json`` and ``cohort.csv``; finished cases are not made again.

    Follow-up lies beside the first visit: ``case-0001-visit-2/…``.

    Parameters
    ----------
    out : str or Path
        New, empty, or holding the same cohort, whole or in part; `n` and `visits` may differ.
    n, seed, classes, difficulties, visits
        As `plan_cohort` takes them.
    formats : sequence of CaseFormat
        Each case is written in each of them, beside one truth.
    jobs : int
        Cases made at the same time, each in a process of its own; 1: in this process. The processes are
        spawned: a script that asks for more than one needs ``if __name__ == "__main__":``.
    on_done : callable
        Called in this process after each case, in the order in which they end.

    Returns
    -------
    tuple of CasePlan

    Raises
    ------
    ExportError
        ``output_exists`` if `out` holds cases that are not of this cohort; ``not_writable``.
    TohMriError
        ``worker_died`` if a process was ended from outside, as for want of memory.
    ValueError
        As `plan_cohort`, or without a format or with one that is not known, or with less than one job.
    """
    if not formats or jobs < 1:
        raise ValueError("a cohort needs at least one format and one job")
    formats = tuple(dict.fromkeys(_members(formats, CaseFormat)))
    plans = plan_cohort(n, seed, classes=classes, difficulties=difficulties, visits=visits)
    folder = Path(out)
    settings: dict[str, object] = {
        "version": version("toh-mri"),
        "seed": seed,
        "classes": [*classes],
        "difficulties": [*difficulties],
        "formats": [*formats],
    }
    with _writing(folder):
        listed = _listed_before(folder, settings)
        folder.mkdir(parents=True, exist_ok=True)
        rows = {str(row["id"]): row for row in [*listed, *(_row(plan, formats) for plan in plans)]}
        _write_list(folder, settings, sorted(rows.values(), key=_place))
    work = partial(_write_case, folder=folder, formats=formats)
    for done in map(work, plans) if jobs == 1 else _in_processes(work, plans, jobs):
        on_done(done)
    return plans


def _listed_before(folder: Path, settings: dict[str, object]) -> list[dict[str, object]]:
    """Return the cases that an earlier run of the same cohort listed; refuse a folder that holds other cases."""
    try:
        earlier = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))
        cases = sorted(earlier.pop("cases"), key=_place)
    except FileNotFoundError:
        earlier, cases = settings, []
        if any(folder.glob("case-*")):
            earlier = None
    except (ValueError, KeyError, AttributeError, TypeError):
        earlier, cases = None, []
    if earlier != settings:
        raise ExportError(
            "output_exists",
            f"{folder.name} holds cases that were not made with this seed, these settings and this version.",
            "Choose another folder, or remove this one yourself.",
        )
    return cases


def _row(plan: CasePlan, formats: Listing[CaseFormat]) -> dict[str, object]:
    return {
        "id": plan.name,
        "seed": plan.seed,
        "cls": str(plan.disease),
        "side": SIDE_LETTER[plan.side],
        "bilateral": plan.bilateral,
        "other_cls": str(plan.other),
        "visit": plan.visit.number,
        "days": plan.visit.days,
        "difficulty": str(plan.difficulty),
        "field_strength_t": plan.field_strength_t,
        "series": ";".join(series.name for series in plan.series),
        "format": ";".join(formats),
    }


def _place(row: dict[str, object]) -> tuple[int, int]:
    """Return where a case stands in the list: by its number, then by visit."""
    number, _, visit = str(row["id"]).removeprefix("case-").partition("-visit-")
    return int(number), int(visit or 1)


def _write_list(folder: Path, settings: dict[str, object], rows: Listing[dict[str, object]]) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=[*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    for name, text in (
        ("cohort.csv", table.getvalue()),
        ("cohort.json", json.dumps({**settings, "cases": [*rows]}, indent=1) + "\n"),
    ):
        part = folder / f".{name}.part"
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(folder / name)


def _write_case(plan: CasePlan, *, folder: Path, formats: Listing[CaseFormat]) -> CaseDone:
    """Write one case, unless it is there."""
    started = perf_counter()
    final, part = folder / plan.name, folder / f".{plan.name}.part"
    if final.exists():
        return CaseDone(plan, kept=True, seconds=0.0)
    case = plan.make()
    with _writing(folder):
        try:
            shutil.rmtree(part, ignore_errors=True)  # of a run that was interrupted
            part.mkdir()
            for wanted in formats:
                _WRITERS[wanted](case, part)
            part.rename(final)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return CaseDone(plan, kept=False, seconds=perf_counter() - started)


def _in_processes(work: Callable[[CasePlan], CaseDone], plans: Listing[CasePlan], jobs: int) -> Iterator[CaseDone]:
    """Do the work in spawned processes; where it ends early, cases that have not begun are given up."""
    pool = ProcessPoolExecutor(
        min(jobs, len(plans)),
        mp_context=get_context("spawn"),
        initializer=signal.signal,  # an interrupt is for the process that started them: they end what they began
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        waiting: list[Future[CaseDone]] = [pool.submit(work, plan) for plan in plans]
        for future in as_completed(waiting):
            yield future.result()
    except BrokenProcessPool as error:
        raise TohMriError(
            "worker_died",
            "A process that made a case ended before it was done.",
            "Run again with fewer jobs: each needs up to 1.5 GB of memory. Finished cases are kept.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError(
            "not_writable",
            f"{folder.name} could not be written: {error.strerror or type(error).__name__}.",
            "Check that the output folder can be written to and that its disk has space left.",
        ) from error
