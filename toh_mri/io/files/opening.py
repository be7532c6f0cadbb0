"""The one way to a file's bytes, be it a file on disk or a member of a zip archive.

A member's path is the archive's path with the member's name appended: ``study.zip/series/IM1``.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

from toh_mri.io.files.archive import Archive, open_archive


class ArchivePlace(NamedTuple):
    """A place inside an archive: the archive's path as it was given, and a member's or folder's name (empty: all)."""

    path: Path
    archive: Archive
    name: str


def open_binary(path: Path) -> BinaryIO:
    """Open a file, or a member of an archive, for reading; seekable.

    Raises
    ------
    OSError
        As `Path.open` does; ``FileNotFoundError`` for a name that the archive does not hold.
    InputError
        ``archive_unreadable``, ``archive_unsafe`` or ``too_large``, see `archive`.
    """
    try:
        return path.open("rb")
    except OSError:
        place = archive_place(path)
        if place is None:
            raise
    return place.archive.open(place.name)


def read_head(path: Path, count: int) -> bytes:
    """Read the first bytes of a file or member, and unpack no more than these. Raises as `open_binary` does."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        place = archive_place(path)
        if place is None:
            raise
    return place.archive.head(place.name, count)


def names_in(folder: Path) -> tuple[str, ...]:
    """Return the names in a folder on disk or in an archive, in order; none where there is no such folder.

    Raises
    ------
    InputError
        ``archive_unreadable`` or ``archive_unsafe``.
    """
    try:
        return tuple(sorted(path.name for path in folder.iterdir()))
    except OSError:
        place = archive_place(folder)
    return () if place is None else place.archive.folders.get(place.name, ())


def archive_place(path: Path) -> ArchivePlace | None:
    """Return the place inside an archive that a path means; None where it leads into no file.

    Raises
    ------
    InputError
        ``archive_unreadable`` or ``archive_unsafe``.
    """
    for parent in (path, *path.parents):
        try:
            mode = parent.stat().st_mode
        except OSError:
            continue
        if not stat.S_ISREG(mode):
            return None
        name = "/".join(path.relative_to(parent).parts)
        return ArchivePlace(parent, open_archive(parent), name)
    return None
