"""``toh-mri analyze``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from toh_mri.cli.exit_status import ExitStatus
from toh_mri.cli.options import (
    AllowMissingSlices,
    Anatomy,
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
from toh_mri.cli.running import leave, run
from toh_mri.cli.screen import Screen

if TYPE_CHECKING:
    from toh_mri.core.config import Config
    from toh_mri.core.study import StudyIndex

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
    anatomy: Anatomy = None,
    segmenter: SegmenterName = None,
    allow_missing_slices: AllowMissingSlices = False,
    keep_identifiers: KeepIdentifiers = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Analyse one study and write its record, label images, tables and report."""
    from toh_mri.io import index_study

    screen = Screen(quiet=quiet, verbose=verbose)
    chosen = make_config(
        config,
        settings,
        keep_identifiers=keep_identifiers,
        allow_missing_slices=allow_missing_slices,
        segmenter=segmenter,
    )
    index = index_study(study, chosen.io, t1=t1, fluid=fluid)
    if anatomy is not None:
        _analyze_drawn(index, anatomy, out, chosen, screen)
    summary = run((index,), out, chosen, screen, command="analyze", force=True)
    screen.result(str(summary.study_pages[0]))
    leave(summary)


def _analyze_drawn(index: StudyIndex, anatomy: Path, out: Path, config: Config, screen: Screen) -> NoReturn:
    """Analyse one study with the anatomy that a person drew, and leave."""
    from importlib.metadata import version

    from toh_mri.core.hip import Status
    from toh_mri.export import OutputFolder, begin_run
    from toh_mri.io import read_nifti, read_study, salt_of
    from toh_mri.pipeline import analyze_study

    labels = read_nifti(anatomy)
    OutputFolder(out)  # refuses a folder of other things before anything is written there
    begin_run(out, "analyze", version("toh-mri"), config)
    if config.io.salt is None:
        config = config.model_copy(update={"io": config.io.model_copy(update={"salt": salt_of(out)})})
    result = analyze_study(read_study(index, config.io), config, anatomy=labels)
    screen.result(str(result.save(out)))
    raise typer.Exit(ExitStatus.SOME_FAILED if result.record.status is Status.FAILED else ExitStatus.OK)
