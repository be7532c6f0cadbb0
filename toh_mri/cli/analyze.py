"""``toh-mri analyze``."""

from __future__ import annotations

import typer

from toh_mri.cli.exit_status import ExitStatus
from toh_mri.cli.options import (
    ConfigName,
    InputFolder,
    KeepIdentifiers,
    OutFolder,
    Quiet,
    Settings,
    Verbose,
    Version,
    make_config,
)
from toh_mri.cli.running import find_or_leave, leave, run
from toh_mri.cli.screen import Screen


def analyze(
    study: InputFolder,
    *,
    out: OutFolder,
    config: ConfigName = None,
    settings: Settings = None,
    keep_identifiers: KeepIdentifiers = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Analyse one study and write its record, label images, tables and report."""
    screen = Screen(quiet=quiet, verbose=verbose)
    chosen = make_config(config, settings, keep_identifiers=keep_identifiers)
    indices = find_or_leave(study, chosen)
    if len(indices) > 1:
        typer.echo(f"toh-mri: {study} holds {len(indices)} studies.", err=True)
        typer.echo("Hint: use 'toh-mri batch' for all of them, or give the folder of one.", err=True)
        raise typer.Exit(ExitStatus.USAGE)
    summary = run(indices, out, chosen, screen, command="analyze", force=True)
    screen.result(str(summary.study_pages[0]))
    leave(summary)
