"""What the user sees while work goes on: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from toh_mri.batch import Outcome
    from toh_mri.core.record import StudyRecord

DoneT = TypeVar("DoneT")

_NAMES = {
    "no_finding": "no finding",
    "toh_like": "TOH-like",
    "on_like": "ON-like",
    "indeterminate": "indeterminate",
}


class Screen:
    """Writes for people: results to standard output, everything else to standard error."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self.quiet = quiet
        level = logging.DEBUG if verbose else logging.WARNING
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
        logging.getLogger("toh_mri").setLevel(level)

    def note(self, text: str) -> None:
        """Say something by the way; not where the user asked for quiet."""
        if not self.quiet:
            typer.echo(text, err=True)

    def result(self, text: str) -> None:
        """Say what the user asked for."""
        typer.echo(text)

    @contextmanager
    def following(self, total: int, what: str, line: Callable[[DoneT], str]) -> Iterator[Callable[[DoneT], None]]:
        """Give a function to call after each of `total` pieces of work.

        Parameters
        ----------
        total : int
        what : str
            The pieces' name beside the bar: ``Studies``.
        line : callable
            Says in one line what became of a piece.
        """
        if self.quiet:
            yield lambda _: None
        elif sys.stderr.isatty():
            with _bar(total, what, line) as follow:
                yield follow
        else:
            yield _lines(total, line)


def outcome_line(outcome: Outcome) -> str:
    """Say in one line what became of a study."""
    record = outcome.record
    left_out = _left_out(record)
    if record.failure is not None:
        return f"{record.study_id}  failed: {record.failure.message} [{record.failure.code}]{left_out}"
    hips = []
    for side in sorted(record.hips):
        made = record.hips[side].classification
        pattern = None if made is None or made.pattern is None else _NAMES[made.pattern]
        hips.append(f"{side} {pattern or record.hips[side].reason or 'not classified'}")
    kept = " (unchanged)" if outcome.kept else f" ({outcome.seconds:.1f} s)"
    return f"{record.study_id}  {record.status}: {', '.join(hips) or 'no hip'}{kept}{left_out}"


def _left_out(record: StudyRecord) -> str:
    from toh_mri.export import series_left_out

    codes = [failure.code for failure in series_left_out(record)]
    reasons = ", ".join(sorted(set(codes)))
    return f"; {len(codes)} series left out: {reasons} (see failures.csv)" if codes else ""


def _lines(total: int, line: Callable[[DoneT], str]) -> Callable[[DoneT], None]:
    numbers = iter(range(1, total + 1))

    def follow(done: DoneT) -> None:
        typer.echo(f"[{next(numbers)}/{total}] {line(done)}", err=True)

    return follow


@contextmanager
def _bar(total: int, what: str, line: Callable[[DoneT], str]) -> Iterator[Callable[[DoneT], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)

        def follow(done: DoneT) -> None:
            progress.console.print(line(done), markup=False, highlight=False)
            progress.advance(task)

        yield follow
