"""What ``analyze``, ``batch`` and ``demo`` share: run studies, show how it goes, tell how it went."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from toh_mri.cli.exit_status import ExitStatus
from toh_mri.cli.screen import Screen, outcome_line

if TYPE_CHECKING:
    from toh_mri.batch import Summary
    from toh_mri.core.config import Config
    from toh_mri.core.study import StudyIndex


def find_or_explain(root: Path, config: Config) -> tuple[StudyIndex, ...]:
    """Return the studies below a folder; where there is none, the error says what was left out and why."""
    from toh_mri.io import find_studies, index_study

    return find_studies(root, config.io) or (index_study(root, config.io),)


def run(
    indices: Sequence[StudyIndex], out: Path, config: Config, screen: Screen, *, command: str, force: bool
) -> Summary:
    """Analyse studies into a folder, with progress on the screen, and sum up."""
    from toh_mri.batch import run_studies

    try:
        with screen.following(len(indices), "Studies", outcome_line) as follow:
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
