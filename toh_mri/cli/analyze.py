"""``toh-mri analyze``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toh_mri.cli.options import (
    AllowMissingSlices,
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

T1File = Annotated[
    Path | None,
    typer.Option(
        "--t1",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The study's T1 series; of a DICOM series any file.",
        show_default=False,
    ),
]
FluidFile = Annotated[
    Path | None,
    typer.Option(
        "--fluid",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The study's fluid-sensitive series, fat-suppressed; of a DICOM series any file.",
        show_default=False,
    ),
]


def analyze(
    study: InputFolder,
    *,
    out: OutFolder,
    config: ConfigName = None,
    settings: Settings = None,
    t1: T1File = None,
    fluid: FluidFile = None,
    allow_missing_slices: AllowMissingSlices = False,
    keep_identifiers: KeepIdentifiers = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Analyse one study and write its record, label images, tables and report."""
    from toh_mri.io import index_study

    screen = Screen(quiet=quiet, verbose=verbose)
    chosen = make_config(config, settings, keep_identifiers=keep_identifiers, allow_missing_slices=allow_missing_slices)
    index = index_study(study, chosen.io, t1=t1, fluid=fluid)
    summary = run((index,), out, chosen, screen, command="analyze", force=True)
    screen.result(str(summary.study_pages[0]))
    leave(summary)
