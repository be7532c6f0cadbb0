"""Fixtures shared by all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

# The first call of a kernel compiles it: a deadline for single examples would depend on what ran before.
settings.register_profile("toh_mri", deadline=None)
settings.load_profile("toh_mri")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the shared development data; the test skips where it is absent."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the shared development data is not here")
    return path


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """Folder of the packaged sample studies."""
    return ROOT / "sample_data"
