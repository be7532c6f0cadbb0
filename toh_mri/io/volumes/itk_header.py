"""Text headers of NRRD and MetaImage files: what has to be known before ITK is let at them.

ITK takes the identity where a file carries no orientation, and opens whatever data file a header names, anywhere
on the disk. Neither is acceptable, so the header is read here first, strictly: what is not plain is refused.

NRRD: https://teem.sourceforge.net/nrrd/format.html. MetaImage: https://itk.org/Wiki/MetaIO/Documentation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from toh_mri.core.errors import GeometryError, InputError
from toh_mri.io.files.names import stem_without
from toh_mri.io.files.opening import read_head
from toh_mri.io.volumes.voxel_layout import Shape

_LONGEST_HEADER = 2**16
_NRRD_FIELD = re.compile(r"([A-Za-z ]+): *(.*)")
_NRRD_SPACES = frozenset(
    {"left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las"}
)
# Bytes of a sample; NRRD's synonyms (unsigned short int, ushort, uint16_t) are brought to these first.
_NRRD_SYNONYM = re.compile(r"^(?:un)?signed |^u(?=[a-z])| int$|_t$")
_NRRD_BYTES = {
    "char": 1, "int8": 1, "short": 2, "int16": 2, "int": 4, "int32": 4, "float": 4,
    "longlong": 8, "long long": 8, "int64": 8, "double": 8,
}  # fmt: skip
_META_BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4, "MET_FLOAT": 4,
    "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_DOUBLE": 8,
}  # fmt: skip
_META_GEOMETRY = (
    (("TransformMatrix", "Rotation", "Orientation"), 9),
    (("Offset", "Position", "Origin"), 3),
    (("ElementSpacing",), 3),
)
_META_LINE = re.compile(r"([A-Za-z_][\w.:\[\] -]*?) *= *(.*)")  # programs add fields of their own
_META_LAST = "ElementDataFile"
_META_LOCAL = frozenset({"LOCAL", "Local", "local"})


class ItkHeader(NamedTuple):
    """What a text header says about its samples.

    Attributes
    ----------
    shape : tuple of 3 int
        Samples along i, j, k.
    claimed_bytes : int
        Of all samples, unpacked.
    compressed : bool
    data_file : Path or None
        None where the samples follow the header in the same file.
    header_bytes : int
        Length of the header.
    packed_bytes : int or None
        Length of compressed samples, where the format says it.
    """

    shape: Shape
    claimed_bytes: int
    compressed: bool
    data_file: Path | None
    header_bytes: int
    packed_bytes: int | None = None


def read_text_header(path: Path) -> ItkHeader:
    """Read and check the header of an NRRD or MetaImage file.

    Raises
    ------
    InputError
        ``volume_unreadable``; ``not_three_dimensional``; ``unsafe_data_file`` where the samples lie in several
        files or outside the header's folder.
    GeometryError
        ``no_orientation`` where it does not say, in terms of the patient, how its axes run and where they start.
    """
    block = read_head(path, _LONGEST_HEADER)
    if stem_without(path, (".nrrd", ".nhdr")) is not None:
        return _nrrd(block, path)
    return _meta(block, path)


def _nrrd(block: bytes, path: Path) -> ItkHeader:
    text, header_bytes = _nrrd_text(block, path)
    fields = _nrrd_fields(text.splitlines()[1:], path)
    space = fields.get("space", "").lower()
    directions = fields.get("spacedirections", "")
    shape = _shape(fields.get("sizes", ""), fields.get("dimension", ""), path)
    if space not in _NRRD_SPACES or "none" in directions or not directions or "spaceorigin" not in fields:
        raise _no_orientation(path, "'space' (LPS, RAS or LAS), 'space directions' and 'space origin'")
    encoding = fields.get("encoding", "").lower()
    if encoding not in {"raw", "gzip", "gz"}:
        raise _unreadable(path, "its encoding is neither raw nor gzip")
    kind = _NRRD_SYNONYM.sub("", fields.get("type", "").lower())
    data_file = fields.get("datafile")
    return ItkHeader(
        shape,
        math.prod(shape) * _bytes_of(kind, _NRRD_BYTES, path),
        encoding != "raw",
        None if data_file is None else _safe_data_file(path, data_file),
        header_bytes,
    )


def _nrrd_text(block: bytes, path: Path) -> tuple[str, int]:
    """Return the header up to the blank line, and its length with it; a file without one is all header."""
    end = re.search(rb"\r?\n\r?\n", block)
    if not re.match(rb"NRRD000[1-5]\r?\n", block) or (end is None and len(block) == _LONGEST_HEADER):
        raise _unreadable(path, "it has no NRRD header")
    header = block if end is None else block[: end.start()]
    return _plain(header, path), len(block) if end is None else end.end()


def _nrrd_fields(lines: Iterable[str], path: Path) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith("#") or ":=" in line.partition(": ")[0]:
            continue
        match = _NRRD_FIELD.fullmatch(line)
        name = match[1].replace(" ", "").lower() if match else ""
        if match is None or name in fields:
            raise _unreadable(path, "a line of its header is no field, or a field stands twice")
        fields[name] = match[2].strip()
    return fields


def _meta(block: bytes, path: Path) -> ItkHeader:
    fields, header_bytes = _meta_fields(block, path)
    if fields.get("ElementNumberOfChannels", "1") != "1":
        raise _unreadable(path, "its samples are vectors or colours, not signal")
    if fields.get("BinaryData", "").lower() != "true" or fields.get("HeaderSize", "0") != "0":
        raise _unreadable(path, "its samples are written as text, or follow something else")
    shape = _shape(fields.get("DimSize", ""), fields.get("NDims", ""), path)
    for names, count in _META_GEOMETRY:
        if not any(_are_numbers(fields.get(name, ""), count) for name in names):
            raise _no_orientation(path, "'TransformMatrix', 'Offset' and 'ElementSpacing'")
    compressed = fields.get("CompressedData", "").lower() == "true"
    if compressed and "CompressedDataSize" not in fields:  # without it, ITK goes on with whatever it inflates
        raise _unreadable(path, "it does not say how long its compressed samples are")
    data_file = fields[_META_LAST]
    return ItkHeader(
        shape,
        math.prod(shape) * _bytes_of(fields.get("ElementType", ""), _META_BYTES, path),
        compressed,
        None if data_file in _META_LOCAL else _safe_data_file(path, data_file),
        header_bytes,
        int(fields["CompressedDataSize"]) if compressed else None,
    )


def _meta_fields(block: bytes, path: Path) -> tuple[dict[str, str], int]:
    """Return the fields up to the one that names the data file, which is the last."""
    end = re.search(rb"(?:^|\n)ElementDataFile *= *[^\r\n]*(?:\r?\n|$)", block)
    if end is None:
        raise _unreadable(path, "it has no MetaImage header")
    fields: dict[str, str] = {}
    for line in _plain(block[: end.end()], path).splitlines():
        match = _META_LINE.fullmatch(line.strip())
        if match is None or match[1] in fields:
            raise _unreadable(path, "a line of its header is no field, or a field stands twice")
        fields[match[1]] = match[2].strip()
    return fields, end.end()


def _plain(header: bytes, path: Path) -> str:
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError:
        raise _unreadable(path, "its header is not text") from None
    text = text.replace("\r\n", "\n")
    if not all(character.isprintable() or character in "\n\t" for character in text):
        raise _unreadable(path, "its header is not text")
    return text


def _are_numbers(text: str, count: int) -> bool:
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError:
        return False
    return len(numbers) == count and all(map(math.isfinite, numbers))


def _shape(sizes: str, dimension: str, path: Path) -> Shape:
    """Return three sizes; vectors, colours and time count as dimensions of their own in NRRD."""
    numbers = sizes.split()
    if dimension != str(len(numbers)) or not all(number.isdecimal() and int(number) > 0 for number in numbers):
        raise _unreadable(path, "its sizes cannot be read")
    if len(numbers) != 3:
        raise InputError(
            "not_three_dimensional",
            f"{path.name}: has size {' x '.join(numbers)}; one volume of signal was expected.",
            "Write each volume into a file of its own; a single slice as a volume of one slice.",
        )
    i, j, k = map(int, numbers)
    return (i, j, k)


def _bytes_of(kind: str, table: Mapping[str, int], path: Path) -> int:
    if kind not in table:
        raise _unreadable(path, "its samples are of a type that is no signal")
    return table[kind]


def _safe_data_file(path: Path, name: str) -> Path:
    """Return the path of a data file that lies beside the header or below."""
    place = PurePosixPath(name)
    if not name or place.is_absolute() or ".." in place.parts or re.search(r"[\\:%]|^LIST\b", name):
        raise InputError(
            "unsafe_data_file",
            f"{path.name}: its samples lie in several files, or outside the folder of the header.",
            "Write the volume into one file (.nrrd, .mha or .nii.gz).",
        )
    return path.parent / place


def _no_orientation(path: Path, needed: str) -> GeometryError:
    return GeometryError(
        "no_orientation",
        f"{path.name}: its header does not give an orientation: left and right are unknown. It needs {needed}.",
        "Convert the series again from DICOM, with a converter that keeps the orientation.",
    )


def _unreadable(path: Path, why: str) -> InputError:
    return InputError("volume_unreadable", f"{path.name}: {why}.")
