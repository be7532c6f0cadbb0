"""``toh-mri analyze``."""

from __future__ import annotations

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
from toh_mri.cli.running import leave, run
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
    from toh_mri.io import index_study

    screen = Screen(quiet=quiet, verbose=verbose)
    chosen = make_config(config, settings, keep_identifiers=keep_identifiers)
    summary = run((index_study(study, chosen.io),), out, chosen, screen, command="analyze", force=True)
    screen.result(str(summary.study_pages[0]))
    leave(summary)
