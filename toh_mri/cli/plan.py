"""``toh-mri plan``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toh_mri.cli.exit_status import ExitStatus
from toh_mri.cli.options import AllowMissingSlices, ConfigName, Quiet, Settings, Verbose, Version, make_config
from toh_mri.cli.running import find_or_explain
from toh_mri.cli.screen import Screen

if TYPE_CHECKING:
    from toh_mri.batch import SeriesPlan, StudyPlan

Root = Annotated[Path, typer.Argument(exists=True, help="A study, or a folder of studies.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]


def plan(
    path: Root,
    *,
    as_json: AsJson = False,
    config: ConfigName = None,
    settings: Settings = None,
    allow_missing_slices: AllowMissingSlices = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Say which studies, series and sides were found and why, and what would be skipped; analyses nothing.

    Shows series descriptions and file names as they are.
    """
    from toh_mri.batch import plan_study

    screen = Screen(quiet=quiet, verbose=verbose)
    chosen = make_config(config, settings, allow_missing_slices=allow_missing_slices)
    plans = [plan_study(index) for index in find_or_explain(path, chosen)]
    if as_json:
        content = [{**item.model_dump(mode="json"), "has_work": item.has_work} for item in plans]
        screen.result(json.dumps({"studies": content}, indent=1))
    else:
        for item in plans:
            screen.result("\n".join(_study_lines(item)) + "\n")
        ready = sum(item.has_work for item in plans)
        screen.note(f"{len(plans)} {'study' if len(plans) == 1 else 'studies'} found, {ready} to analyse")
    raise typer.Exit(ExitStatus.OK if any(item.has_work for item in plans) else ExitStatus.NOTHING)


def _study_lines(plan: StudyPlan) -> Iterator[str]:
    own = "" if Path(plan.name).name in {"", Path(plan.path).name} else f" ({plan.name})"
    yield f"Study {plan.path}{own}"
    yield f"  sides: {plan.sides}"
    for series in plan.series:
        yield from _series_lines(series)
    for skipped in plan.skipped:
        more = ", ..." if skipped.files > len(skipped.examples) else ""
        files = "1 file" if skipped.files == 1 else f"{skipped.files} files"
        reason = f"{skipped.reason.message} [{skipped.reason.code}]"
        yield f"  - {files} skipped ({', '.join(skipped.examples)}{more}): {reason}"
    for warning in plan.warnings:
        yield f"  ! {warning}"


def _series_lines(series: SeriesPlan) -> Iterator[str]:
    info = series.info
    files = "1 file" if info.files == 1 else f"{info.files} files"
    sign = "+" if series.used else "-"
    yield f"  {sign} {info.name}{_quoted(series.description)}, {files}{_geometry(series)}"
    if info.role is not None:
        yield f"      taken for {info.role.contrast}, {info.role.plane} (score {info.role.score:.2f})"
        yield from (f"        because {reason}" for reason in info.role.reasons)
    yield f"      {series.use}" if not series.used else f"      used for {series.use}"
    yield from (f"      ! {note}" for note in series.notes)


def _quoted(description: str) -> str:
    return f'  "{description}"' if description else ""


def _geometry(series: SeriesPlan) -> str:
    info = series.info
    shape = "" if info.shape is None else ", " + " x ".join(str(n) for n in info.shape)
    spacing = "" if info.spacing_mm is None else " at " + " x ".join(f"{mm:.2f}" for mm in info.spacing_mm) + " mm"
    return f"{shape}{spacing}"
