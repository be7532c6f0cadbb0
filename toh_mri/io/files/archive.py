"""Zip archives as folders: what they hold, and the bytes of a member. Nothing is unpacked to disk.

An archive comes from anywhere, so nothing it says of itself is believed: names cannot lead out of it, a member never
gives more bytes than its entry promises, and what the promise adds up to is bounded before anything is inflated.

Limits: deflate cannot shrink data below 1/1032 (zlib technical details, J. Gailly and M. Adler), so a smaller entry is
a lie. Archives whose members overlap, as in D. Fifield, "A better zip bomb", USENIX WOOT 2019, are refused whole.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from toh_mri.core.errors import InputError
from toh_mri.core.study import Exclusion
from toh_mri.io.files.foreign import foreign_errors
from toh_mri.io.files.memory import require_memory

_MOST_MEMBERS = 200_000
_MOST_DIRECTORY_BYTES = _MOST_MEMBERS * 256  # 46 bytes an entry, and its name
_MOST_MEMBER_BYTES = 2**31  # larger than any MR object
_MOST_EXPANSION = 1032
_SMALLEST_DEFLATED = 64  # below this many bytes the expansion says nothing
_MOST_TOTAL_EXPANSION = 100  # of a whole archive: images shrink to a half or a third, masks to a hundredth
_HARMLESS_TOTAL_BYTES = 2**30
_LONGEST_NAME = 1024
_KEPT_DIRECTORIES = 8

_LOCAL_MARK = b"PK\x03\x04"
_LOCAL_BYTES = 30
_NAME_LENGTHS = 26  # offset of the lengths of name and extra field in a local header
_CHUNK_BYTES = 2**20
_ASK_FOR_MEMORY_BYTES = 2**24
_ENCRYPTED = 0x1
_UNIX = 3
_DRIVE = re.compile(r"[A-Za-z]:")
_DOCUMENT_MEMBERS = frozenset({"[Content_Types].xml", "META-INF/MANIFEST.MF", "mimetype"})

_UNSAFE_NAME = Exclusion(
    code="unsafe_name",
    message="The names of some of its members lead out of the archive or cannot be file names: they are left out.",
)
_NOT_A_FILE = Exclusion(code="link", message="It is a link or a device inside an archive.")
_ENCRYPTED_MEMBER = Exclusion(code="encrypted", message="It is encrypted: unpack the archive with its password first.")
_METHOD = Exclusion(
    code="unsupported_compression", message="It is compressed by another method than deflate: unpack the archive first."
)
_LIE = Exclusion(code="implausible_size", message="No compression can reach the size that the archive claims for it.")
_HUGE = Exclusion(code="too_large", message="Unpacked, it would be larger than any MR object.")
_REPLACED = Exclusion(code="replaced", message="A later member of the archive has the same name and replaces it.")


class Member(NamedTuple):
    """Where a member lies and what it is to give."""

    offset: int
    packed_bytes: int
    unpacked_bytes: int
    checksum: int
    deflated: bool


@dataclass(frozen=True)
class Archive:
    """The directory of a zip archive.

    Attributes
    ----------
    path : Path
        Of the archive.
    members : mapping of str to Member
        By name, in the order of folders and names; names are divided by ``/`` and safe.
    left_out : tuple of (str, Exclusion)
        Names that are not opened, and why; the empty name stands for the archive.
    """

    path: Path
    members: Mapping[str, Member]
    left_out: tuple[tuple[str, Exclusion], ...]

    @property
    def is_document(self) -> bool:
        """A text, a table, a program: formats that are zip archives and hold no images of patients."""
        return not _DOCUMENT_MEMBERS.isdisjoint(self.members)

    @cached_property
    def folders(self) -> Mapping[str, tuple[str, ...]]:
        """Names in each folder, in order; the empty name stands for the archive."""
        children: dict[str, dict[str, None]] = defaultdict(dict)
        for name in self.members:
            while name:
                folder, _, last = name.rpartition("/")
                if last in children[folder]:
                    break
                children[folder][last] = None
                name = folder  # noqa: PLW2901 -- climbs to the archive's top
        return {folder: tuple(names) for folder, names in children.items()}

    def open(self, name: str) -> io.BytesIO:
        """Return a member's bytes as a file in memory.

        Raises
        ------
        FileNotFoundError
            For a name that is not among `members`.
        InputError
            ``archive_unreadable`` where the member is damaged, ``too_large`` where there is no room for it.
        """
        member = self._member(name)
        if member.unpacked_bytes > _ASK_FOR_MEMORY_BYTES:
            require_memory(member.unpacked_bytes, "A member of the zip archive")
        buffer, checksum = io.BytesIO(), 0
        for data in self._unpacked(name, member.unpacked_bytes):
            buffer.write(data)
            checksum = zlib.crc32(data, checksum)
        if buffer.tell() != member.unpacked_bytes or checksum != member.checksum:
            raise self._damaged(name)
        buffer.seek(0)
        return buffer

    def head(self, name: str, count: int) -> bytes:
        """Return the first bytes of a member, inflating no more than they need. Raises as `open` does."""
        return b"".join(self._unpacked(name, min(count, self._member(name).unpacked_bytes)))

    def _member(self, name: str) -> Member:
        try:
            return self.members[name]
        except KeyError:
            raise FileNotFoundError(f"{self.path.name} has no such member") from None

    def _unpacked(self, name: str, count: int) -> Iterator[bytes]:
        member = self.members[name]
        try:
            with self.path.open("rb") as file:
                file.seek(member.offset)
                header = file.read(_LOCAL_BYTES)
                if not header.startswith(_LOCAL_MARK):
                    raise self._damaged(name)
                file.seek(sum(struct.unpack_from("<HH", header, _NAME_LENGTHS)), io.SEEK_CUR)
                unpack = _inflate if member.deflated else _copy
                yield from unpack(file, member.packed_bytes, count)
        except (OSError, zlib.error, struct.error):
            raise self._damaged(name) from None

    def _damaged(self, name: str) -> InputError:
        return InputError(
            "archive_unreadable",
            f"{name.rpartition('/')[2]}: the zip archive is damaged here.",
            "Copy or export the archive again.",
        )


def open_archive(path: Path) -> Archive:
    """Read the directory of a zip archive. It is kept, as long as the file does not change, for the next call.

    Raises
    ------
    OSError
        Where there is no such file.
    InputError
        ``archive_unreadable`` where it is broken, ``archive_unsafe`` where it is made to exhaust its reader.
    """
    status = path.stat()
    return _read_archive(path.absolute(), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=_KEPT_DIRECTORIES)
def _read_archive(path: Path, _changed_ns: int, size: int) -> Archive:
    with (
        foreign_errors("archive_unreadable", "It is no readable zip archive", "Copy or export the archive again."),
        _DirectoryFile(path) as file,
        ZipFile(file) as source,
    ):
        entries, directory_start = source.infolist(), source.start_dir
    _refuse_bombs(entries, directory_start, size)
    files: dict[str, ZipInfo] = {}
    left_out: list[tuple[str, Exclusion]] = []
    for entry in entries:
        if entry.orig_filename.endswith(("/", "\\")):  # a folder
            continue
        name = _safe_name(entry)
        if name is None:
            left_out.append(("", _UNSAFE_NAME))
            continue
        if name in files:
            left_out.append((name, _REPLACED))
        files[name] = entry
    members: dict[str, Member] = {}
    for name, entry in sorted(files.items(), key=lambda item: item[0].split("/")):
        reason = _reason_against(entry)
        if reason is None:
            deflated = entry.compress_type == ZIP_DEFLATED
            members[name] = Member(entry.header_offset, entry.compress_size, entry.file_size, entry.CRC, deflated)
        else:
            left_out.append((name, reason))
    return Archive(path, members, tuple(dict.fromkeys(left_out)))


class _DirectoryFile(io.FileIO):
    """A file that refuses to be read in one piece as large as only an absurd archive's directory is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_DIRECTORY_BYTES:
            raise _too_many()
        return super().read(size)


def _too_many() -> InputError:
    return InputError(
        "archive_unsafe", "It holds more members than any study.", "Pack fewer studies into one archive, or unpack it."
    )


def _refuse_bombs(entries: Sequence[ZipInfo], directory_start: int, size: int) -> None:
    if len(entries) > _MOST_MEMBERS:
        raise _too_many()
    if sum(entry.file_size for entry in entries) > max(_HARMLESS_TOTAL_BYTES, _MOST_TOTAL_EXPANSION * size):
        raise InputError("archive_unsafe", "It would unpack to more than a hundred times its size: a zip bomb.")
    # A lower bound of where each member ends: names and extra fields come on top.
    spans = sorted((e.header_offset, e.header_offset + _LOCAL_BYTES + e.compress_size) for e in entries)
    if spans and spans[0][0] < 0:
        raise InputError("archive_unreadable", "Its members lie outside the file: it is damaged.")
    if any(end > start for (_, end), (start, _) in pairwise([*spans, (directory_start, directory_start)])):
        raise InputError("archive_unsafe", "Its members overlap: a zip bomb, or a damaged archive.")


def _safe_name(entry: ZipInfo) -> str | None:
    """Return the member's name divided by ``/``; None for one that could lead out of the archive."""
    name = entry.orig_filename.replace("\\", "/")
    if "\0" in name or name.startswith("/") or _DRIVE.match(name) or len(name) > _LONGEST_NAME:
        return None
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return None if ".." in parts or not parts else "/".join(parts)


def _reason_against(entry: ZipInfo) -> Exclusion | None:
    kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
    packed, unpacked = entry.compress_size, entry.file_size
    stored = entry.compress_type == ZIP_STORED
    checks = (
        (kind not in {0, stat.S_IFREG}, _NOT_A_FILE),
        (entry.flag_bits & _ENCRYPTED, _ENCRYPTED_MEMBER),
        (not stored and entry.compress_type != ZIP_DEFLATED, _METHOD),
        (stored and packed != unpacked, _LIE),
        (unpacked > _MOST_EXPANSION * packed + _SMALLEST_DEFLATED, _LIE),
        (unpacked > _MOST_MEMBER_BYTES, _HUGE),
    )
    return next((reason for holds, reason in checks if holds), None)


def _copy(file: BinaryIO, packed_bytes: int, count: int) -> Iterator[bytes]:
    left = min(packed_bytes, count)
    while left > 0 and (data := file.read(min(left, _CHUNK_BYTES))):
        left -= len(data)
        yield data


def _inflate(file: BinaryIO, packed_bytes: int, count: int) -> Iterator[bytes]:
    """Yield `count` bytes at most, in bounded pieces, however much the data would give."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = count
    while left > 0 and not inflater.eof:
        packed = inflater.unconsumed_tail
        if not packed:
            packed = file.read(min(packed_bytes, _CHUNK_BYTES))
            packed_bytes -= len(packed)
        data = inflater.decompress(packed, min(left, _CHUNK_BYTES))
        if not data and not packed:
            return
        left -= len(data)
        yield data
