"""The command line as a test calls it."""

import sys

import pytest

from toh_mri.cli.main import main


@pytest.fixture
def cli(monkeypatch, capsys):
    """Call ``toh-mri`` with arguments; gives its exit status, output and errors."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["toh-mri", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    return call
