"""What a file is, told by its first bytes; names lie, and DICOM files often have none that says anything."""

from __future__ import annotations

import struct
from enum import Enum, auto
from functools import cache
from typing import NamedTuple

from pydicom.datadict import dictionary_has_tag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

HEAD_BYTES = 1024

_MARK = slice(128, 132)  # DICOM PS3.10 section 7.1: a preamble of 128 bytes, then "DICM"
_DIRECTORY_CLASS = b"\x02\x00\x02\x00UI\x14\x001.2.840.10008.1.3.10"  # (0002,0002) of a DICOMDIR, PS3.10 section 8
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")  # the first member; the end of an empty archive
_PACKED_MARKS = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ\0")
_TAR_MARK = slice(257, 262)
_PICTURE_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

_FIRST_GROUPS = (0x0002, 0x0008)
_UNDEFINED_LENGTH = 0xFFFFFFFF
_LONGEST_VALUE = 1024  # identifiers, codes and dates come first; none of them is longer
_GROUP_LENGTH_BYTES = 4
_ENOUGH_ELEMENTS = 4
_FEWEST_ELEMENTS = 2


class FileKind(Enum):
    """What a file's first bytes can tell. `PACKED` is any archive or compressed file but zip."""

    DICOM = auto()
    DICOMDIR = auto()
    ZIP = auto()
    PACKED = auto()
    PICTURE = auto()
    OTHER = auto()


class _Encoding(NamedTuple):
    order: str
    explicit: bool


_LITTLE = _Encoding("<", explicit=True)
_BIG = _Encoding(">", explicit=True)
_IMPLICIT = _Encoding("<", explicit=False)


def recognise(head: bytes) -> FileKind:
    """Tell the kind of a file from its first `HEAD_BYTES` bytes (fewer where it is shorter)."""
    if head[_MARK] == b"DICM" or _begins_with_elements(head):
        return FileKind.DICOMDIR if _DIRECTORY_CLASS in head else FileKind.DICOM
    if head.startswith(_ZIP_MARKS):
        return FileKind.ZIP
    if head.startswith(_PACKED_MARKS) or head[_TAR_MARK] == b"ustar":
        return FileKind.PACKED
    if head.startswith(_PICTURE_MARKS):
        return FileKind.PICTURE
    return FileKind.OTHER


def _begins_with_elements(head: bytes) -> bool:
    """Tell a data set without preamble, as old archives keep it, from anything else."""
    if len(head) < 8:
        return False
    little, big = struct.unpack_from("<H", head)[0], struct.unpack_from(">H", head)[0]
    if little in _FIRST_GROUPS:
        # File meta information (group 2) is explicit little endian always.
        return _plausible(head, _LITTLE) or (little != 0x0002 and _plausible(head, _IMPLICIT))
    return big in _FIRST_GROUPS and _plausible(head, _BIG)


def _plausible(head: bytes, encoding: _Encoding) -> bool:
    """Follow the first elements: standard tags in rising order, with values as short as they are there."""
    offset, previous, count = 0, -1, 0
    while offset + 12 <= len(head) and count < _ENOUGH_ELEMENTS:
        group, element = struct.unpack_from(f"{encoding.order}HH", head, offset)
        tag = group << 16 | element
        header, length = _value_length(head, offset, encoding)
        if tag <= previous or not _is_standard(tag, length) or header == 0:
            return False
        count += 1
        if length == _UNDEFINED_LENGTH:  # a sequence: where it ends is not looked for
            break
        if length % 2 or length > _LONGEST_VALUE:
            return False
        offset, previous = offset + header + length, tag
    return count >= _FEWEST_ELEMENTS


def _value_length(head: bytes, offset: int, encoding: _Encoding) -> tuple[int, int]:
    """Return the bytes of an element's header (0 where it is none) and of its value."""
    if not encoding.explicit:
        return 8, struct.unpack_from("<I", head, offset + 4)[0]
    kind = head[offset + 4 : offset + 6]
    if kind not in _short_kinds() and kind not in _long_kinds():
        return 0, 0
    if kind in _long_kinds():
        return 12, struct.unpack_from(f"{encoding.order}I", head, offset + 8)[0]
    return 8, struct.unpack_from(f"{encoding.order}H", head, offset + 6)[0]


def _is_standard(tag: int, length: int) -> bool:
    if tag & 0xFFFF == 0:  # the length of its group, an integer
        return tag >> 16 in _FIRST_GROUPS and length == _GROUP_LENGTH_BYTES
    return bool(dictionary_has_tag(tag))


@cache
def _long_kinds() -> frozenset[bytes]:
    return frozenset(str(kind).encode() for kind in EXPLICIT_VR_LENGTH_32)


@cache
def _short_kinds() -> frozenset[bytes]:
    return frozenset(str(kind).encode() for kind in STANDARD_VR - EXPLICIT_VR_LENGTH_32)
