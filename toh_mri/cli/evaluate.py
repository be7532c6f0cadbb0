"""``toh-mri evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toh_mri.cli.options import Quiet, Verbose, Version
from toh_mri.cli.screen import Screen

Results = Annotated[
    Path,
    typer.Argument(exists=True, file_okay=False, help="A folder that 'batch' or 'analyze' wrote.", show_default=False),
]
Truth = Annotated[
    Path,
    typer.Argument(
        exists=True,
        file_okay=False,
        help="Masks: CASE/READER/SERIES_labels.nii.gz, SERIES_edema.nii.gz and so on.",
        show_default=False,
    ),
]
OutFolder = Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the evaluation's files.")]


def evaluate(
    results: Results,
    truth: Truth,
    *,
    out: OutFolder,
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Compare results with a truth, or with the masks of one or more readers."""
    from toh_mri.evaluation import evaluate as compare
    from toh_mri.evaluation import write_evaluation

    screen = Screen(quiet=quiet, verbose=verbose)
    made = compare(results, truth)
    for study in made.pairing.studies_alone:
        screen.note(f"{study.study_id}: no case of the truth belongs to it; not scored")
    for case in made.pairing.cases_alone:
        screen.note(f"{case.name}: no study belongs to it; counted as failed")
    for reader, figures in made.by_reader.items():
        screen.note(f"Against {reader}: {figures.hips} hips, {figures.segmented.count} segmented")
    if apart := made.readers_not_compared:
        reasons = ", ".join(sorted({str(row["reason"]).replace("_", " ") for row in apart}))
        screen.note(f"Readers not compared with each other in {len(apart)} rows of evaluation_readers.csv: {reasons}")
    screen.result(str(write_evaluation(made, out)))
