"""Head and end of an encoded frame, looked at before a decoder is let at it.

Decoders take memory for the size that the code stream claims, mend what is damaged as they see fit, and fill up what is
missing. So the head must be in order, its size that of the DICOM header, and a JPEG stream must have an end.
"""

from __future__ import annotations

import struct
from itertools import pairwise

from toh_mri.core.errors import InputError

_RLE_HEAD = struct.Struct("<16L")
_JPEG_START = b"\xff\xd8"
_JPEG_2000_SIZE = b"\xff\x4f\xff\x51"  # start of code stream, then always the size (ISO/IEC 15444-1 A.5.1)
_JPEG_END = b"\xff\xd9"
_SCAN = 0xDA
# Start of frame of JPEG (ISO/IEC 10918-1 B.1.1.3: C0 to CF but for three) and of JPEG-LS (ISO/IEC 14495-1 C.1.1).
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_TABLE_MARKERS = frozenset({0xC4, 0xCC, 0xDB, 0xDD, 0xF8, 0xFE, *range(0xE0, 0xF0)})
_JFIF, _ADOBE = 0xE0, 0xEE
_LAST_ADOBE_TRANSFORM = 2


def check_frame(frame: bytes, rows: int, columns: int) -> None:
    """Refuse a JPEG, JPEG-LS or JPEG 2000 frame that is damaged in its head, cut off, or of another size.

    Parameters
    ----------
    frame : bytes
        One encoded frame.
    rows, columns : int
        As the DICOM header says.

    Raises
    ------
    InputError
        ``pixels_unreadable``.
    """
    is_jpeg = frame.startswith(_JPEG_START)
    size = _jpeg_size(frame) if is_jpeg else _jpeg_2000_size(frame)
    if size is None:
        raise InputError("pixels_unreadable", "The head of an encoded frame is damaged.")
    if is_jpeg and not frame.rstrip(b"\0").endswith(_JPEG_END):
        # Decoders fill up what is missing with grey.
        raise InputError("pixels_unreadable", "An encoded frame has no end.")
    if size != (rows, columns):
        raise InputError(
            "pixels_unreadable",
            f"An encoded frame claims {size[0]} x {size[1]} pixels, its header {rows} x {columns}.",
        )


def check_rle(frame: bytes, segments: int) -> None:
    """Refuse an RLE frame whose segments do not lie one after the other inside it (DICOM PS3.5 G.5).

    Decoders follow the offsets wherever they lead.

    Parameters
    ----------
    frame : bytes
    segments : int
        Bytes of a stored value: each has a segment of its own.

    Raises
    ------
    InputError
        ``pixels_unreadable``.
    """
    if len(frame) >= _RLE_HEAD.size:
        count, *offsets = _RLE_HEAD.unpack_from(frame)
        places = [*offsets[:segments], len(frame)]
        if count == segments and places[0] == _RLE_HEAD.size and all(a < b for a, b in pairwise(places)):
            return
    raise InputError("pixels_unreadable", "The head of an encoded frame is damaged.")


def _jpeg_2000_size(frame: bytes) -> tuple[int, int] | None:
    start = frame.find(_JPEG_2000_SIZE)  # a JP2 file header may stand before it
    if start < 0 or len(frame) < start + 24:
        return None
    columns, rows, left, top = (int.from_bytes(frame[start + i : start + i + 4], "big") for i in (8, 12, 16, 20))
    return rows - top, columns - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    """Walk from segment to segment up to the first scan; None unless each follows the last one and is in order."""
    place, size = len(_JPEG_START), None
    while place + 4 <= len(frame) and frame[place] == 0xFF:
        marker = frame[place + 1]
        end = place + 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
        segment = frame[place + 4 : end]
        if marker == _SCAN:
            return size
        if marker in _FRAME_MARKERS and size is None and len(segment) > 5 and segment[5] == 1:
            size = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
        elif marker not in _TABLE_MARKERS or not _is_in_order(marker, segment):
            return None
        place = end
    return None


def _is_in_order(marker: int, segment: bytes) -> bool:
    if marker == _JFIF and segment.startswith(b"JFIF\0"):
        return len(segment) > 5 and segment[5] == 1
    if marker == _ADOBE and segment.startswith(b"Adobe"):
        return len(segment) > 11 and segment[11] <= _LAST_ADOBE_TRANSFORM
    return True
