"""``toh-mri phantom``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from toh_mri.cli.options import Quiet, Verbose, Version
from toh_mri.cli.screen import Screen

if TYPE_CHECKING:
    from toh_mri.phantom import CaseDone

Kind = TypeVar("Kind", bound=StrEnum)

_MIXED = "mixed"  # every difficulty

OutFolder = Annotated[
    Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the cases: new, or of the same cohort.")
]
Number = Annotated[int, typer.Option("--n", min=1, help="Number of cases.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same cases, byte for byte.")]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="CLASS,…", help="Which diseases; all if not given.", show_default=False),
]
DifficultyName = Annotated[str, typer.Option("--difficulty", help="easy, standard, hard, or mixed.")]
Formats = Annotated[str, typer.Option("--format", metavar="FORMAT,…", help="nifti, dicom, or both.")]
Visits = Annotated[int, typer.Option("--visits", min=1, help="Visits of every person: more than one for follow-up.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Cases made at the same time.")]


def phantom(
    *,
    out: OutFolder,
    n: Number,
    seed: Seed,
    classes: Classes = None,
    difficulty: DifficultyName = "standard",
    formats: Formats = "nifti",
    visits: Visits = 1,
    jobs: Jobs = 1,
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Make synthetic hip studies with exact truth.

    Run again, it makes what is missing. Figures measured on these cases are figures on synthetic hips.
    """
    from toh_mri.phantom import CaseFormat, Difficulty, Disease, write_cohort

    screen = Screen(quiet=quiet, verbose=verbose)
    try:
        with screen.following(n * visits, "Cases", _line) as follow:
            write_cohort(
                out,
                n,
                seed,
                classes=tuple(Disease) if classes is None else _chosen(classes, Disease, "--classes"),
                difficulties=tuple(Difficulty)
                if difficulty.casefold() == _MIXED
                else _chosen(difficulty, Difficulty, "--difficulty", _MIXED),
                formats=_chosen(formats, CaseFormat, "--format"),
                visits=visits,
                jobs=jobs,
                on_done=follow,
            )
    except KeyboardInterrupt:
        typer.echo(f"toh-mri: interrupted. What was finished is in {out}; run again to go on.", err=True)
        raise
    screen.result(str(out / "cohort.csv"))


def _chosen(text: str, kinds: type[Kind], option: str, *more: str) -> tuple[Kind, ...]:
    """Return the members that a list separated by commas names, in any case, each once.

    `more`: what the option takes instead of a list, for the message.
    """
    known = {kind.casefold(): kind for kind in kinds}
    names = [name.strip().casefold() for name in text.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(
            f"'{', '.join(unknown)}' is not one of {', '.join([*kinds, *more])}.", param_hint=option
        )
    return tuple(dict.fromkeys(known[name] for name in names))


def _line(done: CaseDone) -> str:
    """Say in one line what a case is."""
    plan = done.plan
    what = f"{plan.disease} {plan.side}, {plan.difficulty}, {plan.field_strength_t} T"
    both = ", both hips in view" if plan.bilateral else ""
    later = f", day {plan.visit.days}" if plan.visit.days else ""
    how = "unchanged" if done.kept else f"{done.seconds:.1f} s"
    return f"{plan.name}  {what}{both}{later} ({how})"
