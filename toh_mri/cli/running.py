"""What ``analyze``, ``batch`` and ``demo`` share: run studies, show how it goes, tell how it went."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from toh_mri.cli.exit_status import ExitStatus
from toh_mri.cli.screen import Screen

if TYPE_CHECKING:
    from toh_mri.batch import Summary
    from toh_mri.core.config import Config
    from toh_mri.core.study import StudyIndex


def find_or_leave(root: Path, config: Config) -> tuple[StudyIndex, ...]:
    """Return the studies below a folder; leaves with status 3 where there is none."""
    from toh_mri.io import find_studies

    indices = find_studies(root, config.io)
    if not indices:
        typer.echo(f"toh-mri: no study was found below {root}.", err=True)
        typer.echo("Hint: give a folder that holds DICOM or NIfTI files of a hip MRI study.", err=True)
        raise typer.Exit(ExitStatus.NOTHING)
    return indices


def run(
    indices: Sequence[StudyIndex], out: Path, config: Config, screen: Screen, *, command: str, force: bool
) -> Summary:
    """Analyse studies into a folder, with progress on the screen, and sum up."""
    from toh_mri.batch import run_studies

    try:
        with screen.following(len(indices)) as follow:
            summary = run_studies(indices, out, config, command=command, force=force, on_done=follow)
    except KeyboardInterrupt:
        typer.echo(f"toh-mri: interrupted. What was finished is in {out}; run again to go on.", err=True)
        raise
    studies = "1 study" if len(indices) == 1 else f"{len(indices)} studies"
    counts = ", ".join(f"{number} {status}" for status, number in sorted(summary.statuses.items()))
    screen.note(f"{studies}: {counts}; {summary.kept} unchanged from an earlier run")
    return summary


def leave(summary: Summary) -> None:
    """Leave with the exit status of a run."""
    from toh_mri.core.hip import Status

    raise typer.Exit(ExitStatus.SOME_FAILED if summary.statuses[Status.FAILED] else ExitStatus.OK)
