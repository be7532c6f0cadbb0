"""Folders of results and of truths."""

import pytest


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def truth(tmp_path):
    return tmp_path / "truth"
