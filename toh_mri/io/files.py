"""What lies below a path: DICOM files, NIfTI files, and everything else with the reason why it is left out.

Left out by name, because headers cannot tell a mask from an image:

* folders named ``truth``, ``derivatives``, ``labels``, ``masks``, ``segmentations``, ``annotations`` or
  ``rois``, and the ``hip-left`` and ``hip-right`` folders of this program's own outputs, with all they hold;
* NIfTI files with one of `LABEL_WORDS` in their name (words are divided by ``_``, ``-``, ``.`` or blanks).

The path that was asked for is never left out itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from toh_mri.core.study import Exclusion, SkippedFile
from toh_mri.io.nifti import nifti_stem

LABEL_FOLDERS = frozenset(
    {
        "truth",
        "derivatives",
        "labels",
        "masks",
        "segmentations",
        "annotations",
        "rois",
        "hip-left",
        "hip-right",
    }
)
LABEL_WORDS = frozenset(
    {
        "label", "labels", "labelmap", "mask", "masks", "seg", "segs", "dseg", "probseg", "segmentation",
        "roi", "rois", "truth", "groundtruth", "gt", "annotation", "anatomy", "edema", "oedema", "necrosis",
        "effusion", "cyst", "cysts", "band", "line",
    }
)  # fmt: skip

_HEAD_BYTES = 132
_DICOM_MARK = slice(128, 132)


@dataclass
class FoundFiles:
    """Files below a path by kind, in a fixed order."""

    dicom: list[Path] = field(default_factory=list)
    nifti: list[Path] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)

    def skip(self, path: Path, code: str, message: str) -> None:
        """Leave a file or folder out."""
        self.skipped.append(SkippedFile(path, Exclusion(code=code, message=message)))


def find_files(root: Path) -> FoundFiles:
    """Walk a folder, or look at one file; nothing but the first bytes of a file is read."""
    found = FoundFiles()
    if root.is_file():
        _sort_in(root, found, asked_for=True)
        return found
    sidecars = []
    for path in _walk(root, found, set()):
        if path.suffix.lower() == ".json":
            sidecars.append(path)
        else:
            _sort_in(path, found, asked_for=False)
    stems = {path.with_name(nifti_stem(path) or "") for path in found.nifti}
    for path in sidecars:
        if path.with_suffix("") not in stems:
            found.skip(path, "not_an_image", "It is a JSON file that belongs to no image.")
    return found


def _walk(folder: Path, found: FoundFiles, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Yield files in the order of their names, folders once each however they are linked."""
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.skip(folder, "unreadable", f"The folder cannot be read ({type(error).__name__}).")
        return
    if (status.st_dev, status.st_ino) in seen:
        found.skip(folder, "visited_before", "The folder was reached before by another link.")
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            found.skip(path, "hidden", "Its name starts with a dot.")
        elif path.is_dir():
            if entry.name.lower() in LABEL_FOLDERS:
                found.skip(path, "label_folder", "By its name the folder holds labels, not images.")
            else:
                yield from _walk(path, found, seen)
        elif path.is_file():
            yield path
        else:
            found.skip(path, "unreadable", "It is neither a file nor a folder.")


def _sort_in(path: Path, found: FoundFiles, *, asked_for: bool) -> None:
    stem = nifti_stem(path)
    if stem is not None:
        word = None if asked_for else _label_word(stem)
        if word is None:
            found.nifti.append(path)
        else:
            found.skip(path, "label_image", f"By the word '{word}' in its name it holds labels, not images.")
        return
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        found.skip(path, "unreadable", f"The file cannot be read ({type(error).__name__}).")
        return
    if head[_DICOM_MARK] == b"DICM":
        found.dicom.append(path)
    elif not head:
        found.skip(path, "empty_file", "The file is empty.")
    elif head.startswith(b"PK\x03\x04"):
        found.skip(path, "archive", "It is a zip archive: unpack it first.")
    else:
        found.skip(path, "not_an_image", "It is neither DICOM nor NIfTI.")


def _label_word(stem: str) -> str | None:
    words = re.split(r"[_\-. ]+", stem.lower())
    return next((word for word in words if word in LABEL_WORDS), None)
