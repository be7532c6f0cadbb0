"""Progress, on a terminal and elsewhere, of whatever work."""

import sys

import pytest

from toh_mri.cli.screen import Screen


@pytest.fixture(params=[True, False], ids=["terminal", "file"])
def screen(request, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: request.param, raising=False)
    return Screen(quiet=False, verbose=False)


def test_each_piece_of_work_gets_its_line(screen, capsys):
    with screen.following(2, "Cases", lambda done: f"case {done:04d} [a]") as follow:
        follow(7)
        follow(8)
    err = capsys.readouterr().err
    assert "case 0007 [a]" in err  # brackets are text, not markup
    assert "case 0008 [a]" in err


def test_quiet_says_nothing(capsys):
    with Screen(quiet=True, verbose=False).following(1, "Cases", str) as follow:
        follow(1)
    assert capsys.readouterr().err == ""
