"""Read the list that ``pip-licenses --format=json`` prints, and refuse what is not permissively licensed."""

from __future__ import annotations

import json
import sys

PERMISSIVE = {
    "0BSD",
    "Apache License 2.0",
    "Apache Software License",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "HPND",
    "ISC",
    "ISC License (ISCL)",
    "MIT",
    "MIT License",
    "MIT-0",
    "MIT-CMU",
    "PSF-2.0",
    "Python Software Foundation License",
    "The Unlicense (Unlicense)",
    "Unlicense",
    "Zlib",
}

# Package: the one further licence it may have, and why. Compared without regard to case.
EXCEPTIONS = {
    "hypothesis": ("MPL-2.0", "runs the tests; neither imported nor shipped by the package"),
    "pathspec": ("Mozilla Public License 2.0 (MPL 2.0)", "part of mypy's and the build's own tooling only"),
}


def is_permissive(licence: str, also: str | None = None) -> bool:
    """Tell whether a licence, or an SPDX expression of licences, needs no copyleft term to be met.

    Of ``A OR B`` one must be permissive; of ``A AND B``, and of several classifiers ``A; B``, all.
    What stands in brackets is not taken apart, and so refused.
    """
    known = PERMISSIVE | {also}
    return all(
        any(all(part in known for part in choice.split(" AND ")) for choice in classifier.split(" OR "))
        for classifier in licence.split("; ")
    )


def refused(packages: list[dict[str, str]]) -> list[str]:
    """Return one line for every package of the list that has no permissive licence and no exception."""
    lines = []
    for package in packages:
        also, _ = EXCEPTIONS.get(package["Name"].lower(), (None, ""))
        if not is_permissive(package["License"], also):
            lines.append(f"{package['Name']} {package['Version']}: {package['License']}")
    return lines


if __name__ == "__main__":
    listed = json.load(sys.stdin)
    bad = refused(listed)
    print(f"{len(listed)} packages, {len(bad)} refused")
    if bad or not listed:
        sys.exit("\n".join(["Not permissively licensed:", *bad]))
