"""``toh-mri``: the entry point, its commands, and what an error becomes."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import typer

from toh_mri.cli.analyze import analyze
from toh_mri.cli.batch import batch
from toh_mri.cli.config import config_app
from toh_mri.cli.demo import demo
from toh_mri.cli.evaluate import evaluate
from toh_mri.cli.exit_status import ExitStatus
from toh_mri.cli.options import Version
from toh_mri.cli.phantom import phantom
from toh_mri.cli.plan import plan
from toh_mri.core.errors import TohMriError

app = typer.Typer(
    name="toh-mri",
    help=(
        "Measures bone-marrow edema in hip MRI and tells TOH-like from ON-like patterns. "
        "For research use only, not for diagnosis."
    ),
    epilog=(
        "Exit status: 0 all well, 1 some studies failed, 2 wrong usage or configuration, "
        "3 nothing to analyse, 130 interrupted."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, plan, analyze, batch, evaluate, phantom):
    app.command()(command)
app.add_typer(config_app)


@app.callback()
def _root(*, _version: Version = False) -> None:
    pass


def main() -> None:
    """Run the command line and leave with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # the terminal may not know every letter of a name
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except TohMriError as error:
        typer.echo(f"toh-mri: {error.message} [{error.code}]", err=True)
        if error.hint:
            typer.echo(f"Hint: {error.hint}", err=True)
        sys.exit(ExitStatus.NOTHING if error.code == "no_study" else ExitStatus.USAGE)


if __name__ == "__main__":
    main()
