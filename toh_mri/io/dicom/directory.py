"""DICOMDIR: the table of contents of a disc or an export, and which of its files are there.

Discs name files in upper case, at most eight characters a part; copies of them have the names in lower case, with a
version (``IM1;1``) or with a dot at the end (ISO 9660). All of these are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.multival import MultiValue

from toh_mri.io.files.foreign import foreign_errors
from toh_mri.io.files.opening import names_in, open_binary

_NOT_IN_USE = 0  # (0004,1410), PS3.3 table F.3-3
_DIVIDERS = re.compile(r"[\\/]")
_UNSAFE_PART = re.compile(r"\.{0,2}|[A-Za-z]:.*|.*\0.*", re.DOTALL)
_VERSION = re.compile(r"\.?(;\d+)?$")


@dataclass(frozen=True)
class DicomDirectory:
    """The files a DICOMDIR lists, in its order.

    Attributes
    ----------
    found : tuple of Path
        Under the names they have here.
    missing : tuple of Path
        Under the names that are listed.
    refused : int
        Entries that lead out of the DICOMDIR's folder: never looked at.
    """

    found: tuple[Path, ...]
    missing: tuple[Path, ...]
    refused: int


def read_dicomdir(path: Path) -> DicomDirectory:
    """Read which files a DICOMDIR lists, on disk or in an archive, and look for each below its folder.

    Raises
    ------
    InputError
        ``dicomdir_unreadable``.
    """
    with foreign_errors(
        "dicomdir_unreadable", "The DICOMDIR cannot be read", "Give the folder instead: its files are found without it."
    ):
        with open_binary(path) as file:
            content = pydicom.dcmread(file, force=True, specific_tags=["DirectoryRecordSequence"])
        listed = list(dict.fromkeys(_file_ids(content.DirectoryRecordSequence)))
    safe = [parts for parts in listed if not any(_UNSAFE_PART.fullmatch(part) for part in parts)]
    names = _Names()
    places = [(parts, names.find(path.parent, parts)) for parts in safe]
    return DicomDirectory(
        found=tuple(dict.fromkeys(place for _, place in places if place is not None)),
        missing=tuple(path.parent.joinpath(*parts) for parts, place in places if place is None),
        refused=len(listed) - len(safe),
    )


def _file_ids(records: Sequence[Dataset]) -> Iterator[tuple[str, ...]]:
    """Yield the parts of each file's path. All records are in one flat sequence; their links are not followed."""
    for record in records:
        value = record.get("ReferencedFileID")
        if value and record.get("RecordInUseFlag") != _NOT_IN_USE:
            parts = value if isinstance(value, (MultiValue, list)) else [value]
            yield tuple(_DIVIDERS.split("/".join(str(part) for part in parts)))


class _Names:
    """Names in folders, each folder listed once."""

    def __init__(self) -> None:
        self._folders: dict[Path, Mapping[str, str]] = {}

    def find(self, folder: Path, parts: Sequence[str]) -> Path | None:
        """Return the path that these parts mean, in whatever way a copy has changed them."""
        for part in parts:
            known = self._in(folder)
            name = known.get(part) or known.get(_plain(part))
            if name is None:
                return None
            folder /= name
        return folder

    def _in(self, folder: Path) -> Mapping[str, str]:
        if folder not in self._folders:
            names = names_in(folder)
            plain = {_plain(name): name for name in reversed(names)}
            self._folders[folder] = plain | {name: name for name in names}
        return self._folders[folder]


def _plain(name: str) -> str:
    return _VERSION.sub("", name).casefold()
