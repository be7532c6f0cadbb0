"""One DICOM file to its header and the place of its pixels; with or without the preamble."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import BinaryIO

import pydicom
from pydicom import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from toh_mri.core.frozen import FrozenDict
from toh_mri.io.acquisition import number as _number
from toh_mri.io.dicom.elements import Elements
from toh_mri.io.files.memory import require_memory

_PIXEL_KEYWORDS = {0x7FE00010: "PixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00008: "FloatPixelData"}
# Option of pydicom's decoders -> attribute of the file.
_OPTIONS = {
    "samples_per_pixel": "SamplesPerPixel",
    "photometric_interpretation": "PhotometricInterpretation",
    "planar_configuration": "PlanarConfiguration",
    "number_of_frames": "NumberOfFrames",
    "rows": "Rows",
    "columns": "Columns",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "pixel_representation": "PixelRepresentation",
}
_UNDEFINED_LENGTH = 0xFFFFFFFF
_HEAD_BYTES = 1024
_META_LENGTH = slice(140, 144)  # value of (0002,0000), the first element after the preamble
_META_START = 144
_CHUNK_BYTES = 2**20
_RAW_DEFLATE = -zlib.MAX_WBITS


@dataclass(frozen=True)
class PixelPlace:
    """Where the pixels of a file lie and what their decoder must know.

    Attributes
    ----------
    syntax : pydicom.uid.UID
        Transfer syntax.
    start : int
        Offset of the value of the pixel data element. In a deflated file that of the inflated data set.
    length : int or None
        Bytes of the value; None where it is encapsulated.
    shift : int
        Bits below the stored ones: old files keep their values in the upper bits.
    options : mapping
        Of pydicom's decoders.
    """

    syntax: UID
    start: int
    length: int | None
    shift: int
    options: Mapping[str, object] = field(repr=False)

    @property
    def frames(self) -> int:
        """Number of frames that the file claims to hold."""
        return self.number("number_of_frames") or 1

    def number(self, option: str) -> int:
        """Return an option as a number; 0 where the file does not give it."""
        return int(_number(self.options.get(option)) or 0)


def read_header_data(stream: BinaryIO) -> tuple[Elements, PixelPlace | None]:
    """Read what stands before the pixels. Call it behind `foreign_errors`: a broken file may raise anything.

    Returns
    -------
    Elements
        File meta information included.
    PixelPlace or None
        None where the file holds no pixels.

    Raises
    ------
    InputError
        ``too_large`` for a deflated file that would not fit into memory.
    """
    plain = inflated(stream)
    # Without force, files that lack the preamble are refused. What is no DICOM at all was sorted out before.
    dataset = pydicom.dcmread(plain, stop_before_pixels=True, force=True)
    elements = Elements(dataset)
    return elements, _pixel_place(plain, dataset, elements)


def inflated(stream: BinaryIO) -> BinaryIO:
    """Return the stream itself, or of a deflated file one whose data set is inflated, in memory."""
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    if DeflatedExplicitVRLittleEndian.encode() not in head:
        return stream
    start = _META_START + int.from_bytes(head[_META_LENGTH], "little")
    size = _inflated_bytes(stream, start)
    require_memory(2 * size, "The deflated DICOM file")
    stream.seek(0)
    meta = stream.read(start)
    # Padded to the same length, so that the lengths in the file meta information stay true.
    plain_uid = ExplicitVRLittleEndian.encode().ljust(len(DeflatedExplicitVRLittleEndian), b"\0")
    meta = meta.replace(DeflatedExplicitVRLittleEndian.encode(), plain_uid)
    return BytesIO(meta + zlib.decompressobj(_RAW_DEFLATE).decompress(stream.read()))


def _inflated_bytes(stream: BinaryIO, start: int) -> int:
    """Count what a deflated data set inflates to, keeping none of it."""
    stream.seek(start)
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    count = 0
    while chunk := inflater.unconsumed_tail or stream.read(_CHUNK_BYTES):
        count += len(inflater.decompress(chunk, _CHUNK_BYTES))
    return count


def _pixel_place(stream: BinaryIO, dataset: Dataset, elements: Elements) -> PixelPlace | None:
    """Look at the element at which the reading of the header stopped."""
    is_implicit, is_little_endian = dataset.original_encoding
    order = "<" if is_little_endian else ">"
    # An explicit element of these types has two bytes of type, two reserved ones and a length of four.
    layout = struct.Struct(order + ("HHL" if is_implicit else "HH2s2xL"))
    element = stream.read(layout.size)
    if len(element) < layout.size:
        return None
    group, number, *kind, length = layout.unpack(element)
    keyword = _PIXEL_KEYWORDS.get((group << 16) + number)
    if keyword is None:
        return None
    named = elements.meta("TransferSyntaxUID")
    stored, high = (_number(elements(name)) for name in ("BitsStored", "HighBit"))
    shift = int(high + 1 - stored) if stored and high is not None and high + 1 > stored else 0
    values = {option: elements(name) for option, name in _OPTIONS.items()}
    if shift:
        values["bits_stored"] = int(stored or 0) + shift
    return PixelPlace(
        syntax=uid_of(str(named)) if named else _syntax_read(is_implicit, is_little_endian),
        start=stream.tell(),
        length=None if length == _UNDEFINED_LENGTH else length,
        shift=shift,
        options=_options(keyword, kind[0].decode("ascii", "replace") if kind else "OW", *values.values()),
    )


@lru_cache(maxsize=1024)
def uid_of(value: str) -> UID:
    """Return a UID; the files of a series share theirs."""
    return UID(value)


@lru_cache(maxsize=1024)
def _options(keyword: str, kind: str, *values: object) -> Mapping[str, object]:
    """Return the decoder's options; the files of a series share them."""
    options = {name: value for name, value in zip(_OPTIONS, values, strict=True) if value is not None}
    options["number_of_frames"] = int(_number(options.get("number_of_frames")) or 1)
    return FrozenDict({"pixel_keyword": keyword, "pixel_vr": kind, **options})


def _syntax_read(is_implicit: bool, is_little_endian: bool) -> UID:  # noqa: FBT001 - in pydicom's order
    """Return the transfer syntax of a file that does not name one, as its elements were read."""
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian
