"""Arguments and options that commands share, and the configuration they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from toh_mri.core.config import Config


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib.metadata import version

        typer.echo(f"toh-mri {version('toh-mri')}")
        raise typer.Exit


InputFolder = Annotated[
    Path,
    typer.Argument(exists=True, help="DICOM, NIfTI (with sidecars) or exported slices.", show_default=False),
]
OutFolder = Annotated[
    Path,
    typer.Option("--out", "-o", file_okay=False, help="Folder for the results: new, or made by an earlier run."),
]
ConfigName = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="YAML file, or the name of a preset.", show_default=False),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="STAGE.KEY=VALUE", help="Replace one setting; may be repeated.", show_default=False),
]
KeepIdentifiers = Annotated[
    bool,
    typer.Option("--keep-identifiers", help="Write patient and study identifiers and dates as they are."),
]
AllowMissingSlices = Annotated[
    bool,
    typer.Option(
        "--allow-missing-slices",
        help="Use series that lack slices too: nothing is measured in the gaps, and the hip is flagged 'degraded'.",
    ),
]
SegmenterName = Annotated[
    str | None,
    typer.Option("--segmenter", metavar="NAME", help="Back end that finds head and neck.", show_default="classical"),
]
Anatomy = Annotated[
    Path | None,
    typer.Option(
        "--anatomy",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="NIfTI label image drawn by a person, used as it is: 1 head, 2 neck, 3 rest of the femur, 4 acetabulum.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors and where the results are.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more, and show where errors come from.")]
Version = Annotated[
    bool,
    typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave."),
]


def make_config(
    name: str | None,
    settings: list[str] | None,
    *,
    keep_identifiers: bool = False,
    allow_missing_slices: bool = False,
    segmenter: str | None = None,
) -> Config:
    """Return the configuration in force: defaults, then the file or preset, then single settings and switches.

    Raises
    ------
    ConfigError
        ``config_unreadable`` or ``config_invalid``.
    """
    from toh_mri.cli.packaged import preset
    from toh_mri.core.config import Config

    config = Config() if name is None else Config.load(preset(name))
    overrides = list(settings or ())
    if keep_identifiers:
        overrides.append("io.keep_identifiers=true")
    if allow_missing_slices:
        overrides.append("io.allow_missing_slices=true")
    if segmenter is not None:
        overrides.append(f"segmentation.segmenter={json.dumps(segmenter)}")
    return config.with_overrides(overrides) if overrides else config
