"""The licence check lets permissive licences through, and nothing else."""

import runpy
from pathlib import Path

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).resolve().parents[1] / ".ci" / "check_licences.py"))
is_permissive, refused = SCRIPT["is_permissive"], SCRIPT["refused"]


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
        "BSD-2-Clause AND Apache-2.0 WITH LLVM-exception",
        "Apache-2.0 OR BSD-2-Clause",
        "GPL-3.0-only OR MIT",
        "GPL-2.0-only AND LGPL-2.1-only OR MIT",
        "BSD License; Apache Software License",
    ],
)
def test_permissive(licence):
    assert is_permissive(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-only",
        "GNU Lesser General Public License v3 or later (LGPLv3+)",
        "EUPL-1.2",
        "MPL-2.0",
        "MIT AND GPL-3.0-only",
        "MIT AND GPL-2.0-only OR LGPL-2.1-only",
        "BSD License; GNU General Public License (GPL)",
        "Apache-2.0 OR BSD-2-Clause; GNU General Public License (GPL)",
        "(MIT OR GPL-3.0-only) AND GPL-2.0-only",
        "MIT AND (GPL-3.0-only OR LGPL-3.0-only)",
        "UNKNOWN",
        "",
    ],
)
def test_not_permissive(licence):
    assert not is_permissive(licence)


def package(name, licence):
    """Return an entry as pip-licenses prints it."""
    return {"Name": name, "Version": "1.0", "License": licence}


def test_what_is_refused_is_named():
    listed = [package("good", "MIT"), package("bad", "GPL-3.0-only")]
    assert refused(listed) == ["bad 1.0: GPL-3.0-only"]


def test_an_exception_is_for_one_package_and_one_licence():
    assert refused([package("Hypothesis", "MPL-2.0")]) == []
    assert refused([package("hypothesis", "GPL-3.0-only")]) != []
    assert refused([package("other", "MPL-2.0")]) != []


def test_every_exception_has_a_reason():
    assert all(licence and reason for licence, reason in SCRIPT["EXCEPTIONS"].values())
