"""``toh-mri demo``."""

from __future__ import annotations

from pathlib import Path

from toh_mri.cli.options import OutFolder, Quiet, Verbose, Version, make_config
from toh_mri.cli.packaged import packaged
from toh_mri.cli.running import find_or_explain, leave, run
from toh_mri.cli.screen import Screen


def demo(
    *,
    out: OutFolder = Path("toh-mri-demo"),
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Analyse the sample studies that come with the program; needs no network."""
    screen = Screen(quiet=quiet, verbose=verbose)
    chosen = make_config(None, None)
    indices = find_or_explain(packaged("sample_data"), chosen)
    summary = run(indices, out, chosen, screen, command="demo", force=True)
    screen.note("Open this page in a browser:")
    screen.result(str(summary.index_page.resolve()))
    leave(summary)
