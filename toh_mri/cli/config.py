"""``toh-mri config``: the configuration, shown, checked and described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from toh_mri.cli.options import ConfigName, Quiet, Settings, Verbose, Version, make_config
from toh_mri.cli.screen import Screen

config_app = typer.Typer(name="config", help="The configuration: show, validate, schema.", no_args_is_help=True)

ConfigFile = Annotated[Path, typer.Argument(help="YAML file.", show_default=False)]


@config_app.command()
def show(
    *,
    config: ConfigName = None,
    settings: Settings = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    _version: Version = False,
) -> None:
    """Print every setting in force as YAML, with its meaning, unit and source."""
    screen = Screen(quiet=quiet, verbose=verbose)
    screen.result(make_config(config, settings).to_yaml().removesuffix("\n"))


@config_app.command()
def validate(file: ConfigFile, *, quiet: Quiet = False, verbose: Verbose = False, _version: Version = False) -> None:
    """Check a configuration file."""
    from toh_mri.core.config import Config

    screen = Screen(quiet=quiet, verbose=verbose)
    screen.note(f"{file}: valid, config_hash {Config.load(file).fingerprint()}")


@config_app.command()
def schema(*, quiet: Quiet = False, verbose: Verbose = False, _version: Version = False) -> None:
    """Print the JSON schema of configuration files: every key with its unit, range and source."""
    from toh_mri.core.config import Config

    screen = Screen(quiet=quiet, verbose=verbose)
    screen.result(json.dumps(Config.model_json_schema(), indent=1, ensure_ascii=False))
