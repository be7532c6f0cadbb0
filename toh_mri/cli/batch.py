"""``toh-mri batch``."""

from __future__ import annotations

from typing import Annotated

import typer

from toh_mri.cli.options import (
    AllowMissingSlices,
    ConfigName,
    InputFolder,
    KeepIdentifiers,
    OutFolder,
    Quiet,
    SegmenterName,
    Settings,
    Verbose,
    Version,
    make_config,
)
from toh_mri.cli.running import find_or_explain, leave, run
from toh_mri.cli.screen import Screen

Force = Annotated[bool, typer.Option("--force", help="Analyse every study again, also those with a good result.")]


def batch(
    root: InputFolder,
    *,
    out: OutFolder,
    config: ConfigName = None,
    settings: Settings = None,
    segmenter: SegmenterName = None,
    allow_missing_slices: AllowMissingSlices = False,
    keep_identifiers: KeepIdentifiers = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Analyse every study below a folder.

    Run again, it keeps each result whose input, settings and program version are unchanged, and tries failed
    ones again.
    """
    screen = Screen(quiet=quiet, verbose=verbose)
    chosen = make_config(
        config,
        settings,
        keep_identifiers=keep_identifiers,
        allow_missing_slices=allow_missing_slices,
        segmenter=segmenter,
    )
    summary = run(find_or_explain(root, chosen), out, chosen, screen, command="batch", force=force)
    screen.result(str(summary.index_page))
    leave(summary)
