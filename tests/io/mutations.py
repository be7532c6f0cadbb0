"""Damage to files as it happens and as an enemy would do it: the same number gives the same damage."""

from __future__ import annotations

import gzip
import io
import json
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import nibabel
import numpy as np
import pydicom
from numpy.random import Generator
from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from tests.io.mutation_seeds import Files, seed_studies

_HEADER_BYTES = 2048
_MOST_AT_ONCE = 3
_EDITS = ("value", "value", "delete", "representation", "length", "twice")
_LENGTHS = (0, 1, 3, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_REPRESENTATIONS = (b"OB", b"OW", b"SQ", b"UN", b"DS", b"US", b"UT", b"PN", b"AT", b"FD", b"\0\0", b"zz")
_PIXEL_DATA = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
_ELEMENT_HEAD_BYTES = 8
_ITEM = re.escape(b"\xfe\xff\x00\xe0")
_FRAME_HEAD_WORDS = 16
_VALUES = (
    *(b"", b"0", b"-1", b"1e400", b"-1e-400", b"nan", b"inf", b"0\\0", b"1\\0\\0\\0\\1\\0\\7", b"2147483648"),
    *(b"99999999999999999999", b"\xff" * 8, b"\0" * 8, b"\\" * 300, b"1\\" * 4000, b"\x1b$B\x1b(J", b"ISO_IR 192"),
    *(b"65535", b"\xff\xff", b"\0\0", b"1.2.840.10008.1.2.4.90", b"A" * 70000),
)
_NUMBERS = (b"0", b"-1", b"1", b"3", b"65536", b"2147483648", b"99999999999999999999", b"1e308", b"nan", b"")
_JSON_VALUES = (None, True, -1, 0, 1e308, float("nan"), "", "x" * 5000, [], [[[]]], {}, {"a": {}}, [1, "a", None])


def mutated(seed: int, number: int) -> tuple[str, Files]:
    """Return the files of one damaged study, and in words what was done to them.

    Parameters
    ----------
    seed, number : int
        Of the run, and of the mutation within it: together they give the same result each time.
    """
    rng = np.random.default_rng([seed, number])
    studies = seed_studies()
    name = list(studies)[number % len(studies)]
    files = dict(studies[name])
    done = []
    for _ in range(rng.integers(1, _MOST_AT_ONCE + 1)):
        target = list(files)[rng.integers(len(files))]
        kind, content = _damage(target, files[target], rng)
        files[target] = content
        done.append(f"{kind} in {target}")
    return f"{name}: {', '.join(done)}", files


def _damage(name: str, content: bytes, rng: Generator) -> tuple[str, bytes]:
    ways = [*_ANY, *_ways_of(name, content)]
    way = ways[rng.integers(len(ways))]
    return way.__name__.strip("_"), way(content, rng)


def _ways_of(name: str, content: bytes) -> tuple[Callable[[bytes, Generator], bytes], ...]:
    """Return the damage that needs to know the format; as likely as damage to plain bytes."""
    if name.endswith(".json"):
        return (_edit_json,) * 4
    if name.endswith(".nii"):
        return (_edit_nifti,) * 4
    if name.endswith(".gz"):
        return (_edit_inside_gzip, _edit_inside_gzip, _edit_inside_gzip, _bomb_gzip)
    if name.endswith((".nrrd", ".mha", ".mhd")):
        return (_edit_number,) * 4
    if name.endswith(".zip"):
        return (_edit_zip_directory,) * 4
    return (_edit_tag,) * 6 + (_damage_frame,) * 4 if content[128:132] == b"DICM" else ()


# --- any bytes


def _place(content: bytes, rng: Generator) -> int:
    """Return an offset; as often in the header as anywhere, as often at the end as a tenth of the time."""
    if not content:
        return 0
    choice = rng.random()
    if choice < 0.5:
        return int(rng.integers(min(len(content), _HEADER_BYTES)))
    if choice < 0.6:
        return len(content) - 1 - int(rng.integers(min(len(content), 64)))
    return int(rng.integers(len(content)))


def _flip_bits(content: bytes, rng: Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.integers(1, 33)):
        if changed:
            changed[_place(content, rng)] ^= 1 << rng.integers(8)
    return bytes(changed)


def _zero_run(content: bytes, rng: Generator) -> bytes:
    start = _place(content, rng)
    length = min(len(content) - start, int(rng.integers(1, 600)))
    return content[:start] + b"\0" * length + content[start + length :]


def _random_run(content: bytes, rng: Generator) -> bytes:
    start = _place(content, rng)
    length = min(len(content) - start, int(rng.integers(1, 64)))
    return content[:start] + rng.bytes(length) + content[start + length :]


def _truncate(content: bytes, rng: Generator) -> bytes:
    return content[: _place(content, rng)]


def _insert(content: bytes, rng: Generator) -> bytes:
    start = _place(content, rng)
    return content[:start] + rng.bytes(int(rng.integers(1, 40))) + content[start:]


def _cut_out(content: bytes, rng: Generator) -> bytes:
    start = _place(content, rng)
    return content[:start] + content[start + int(rng.integers(1, 200)) :]


def _repeat(content: bytes, rng: Generator) -> bytes:
    start = _place(content, rng)
    end = start + int(rng.integers(1, 2000))
    return content[:end] + content[start:end] + content[end:]


_ANY = (_flip_bits, _zero_run, _random_run, _truncate, _insert, _cut_out, _repeat)


# --- DICOM


def _edit_tag(content: bytes, rng: Generator) -> bytes:
    """Change one element at any depth; plain bit flips where the damage so far hides the elements."""
    edit = _EDITS[rng.integers(len(_EDITS))]
    try:
        with _silence():
            return _edited(content, edit, rng)
    except Exception:  # noqa: BLE001 -- damaged before: whatever the writer makes of it
        return _flip_bits(content, rng)


@contextmanager
def _silence() -> Iterator[None]:
    """Drop what pydicom says of damage; a warning made an error would change what is written."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _edited(content: bytes, edit: str, rng: Generator) -> bytes:
    data = pydicom.dcmread(io.BytesIO(content), force=True)
    elements = list(_walk(data))
    holder, tag = elements[rng.integers(len(elements))]
    if edit in {"value", "delete"}:
        return _rewritten(data, holder, tag, edit, rng)
    return _raw_edit(content, tag, edit, rng)


def _damage_frame(content: bytes, rng: Generator) -> bytes:
    """Damage the pixel data: as often a word in the head of an encoded frame as any of its bytes."""
    start = max(content.rfind(tag) for tag in _PIXEL_DATA)
    if start < 0:
        return _flip_bits(content, rng)
    items = [match.end() + 4 for match in re.finditer(_ITEM, content[start:])]
    if items and rng.random() < 0.5:
        start += items[rng.integers(len(items))] + 4 * int(rng.integers(_FRAME_HEAD_WORDS))
        word = rng.bytes(4) if rng.random() < 0.5 else struct.pack("<I", _LENGTHS[rng.integers(len(_LENGTHS))])
        return content[:start] + word + content[start + len(word) :]
    start += _ELEMENT_HEAD_BYTES
    return content[:start] + _ANY[rng.integers(len(_ANY))](content[start:], rng)


def _walk(data: Dataset) -> list[tuple[Dataset, BaseTag]]:
    found = [(data.file_meta, element.tag) for element in data.file_meta]
    open_data = [data]
    while open_data:
        current = open_data.pop()
        for element in current:
            found.append((current, element.tag))
            if element.VR == "SQ":
                open_data.extend(element.value)
    return found


def _rewritten(data: Dataset, holder: Dataset, tag: BaseTag, edit: str, rng: Generator) -> bytes:
    if edit == "delete":
        del holder[tag]
    else:
        value = _VALUES[rng.integers(len(_VALUES))] if rng.random() < 0.7 else rng.bytes(int(rng.integers(0, 40)))
        value += b" " * (len(value) % 2)
        implicit, little = data.original_encoding
        old: DataElement | RawDataElement = holder[tag]
        holder[tag] = RawDataElement(tag, old.VR, len(value), value, 0, bool(implicit), bool(little))
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=False)
    return buffer.getvalue()


def _raw_edit(content: bytes, tag: BaseTag, edit: str, rng: Generator) -> bytes:
    """Change the header of an element where it stands in the file."""
    orders = [order for order in "<>" if struct.pack(f"{order}HH", tag.group, tag.element) in content]
    if not orders:
        return _flip_bits(content, rng)
    start = content.find(struct.pack(f"{orders[0]}HH", tag.group, tag.element))
    changed = bytearray(content)
    if edit == "representation":
        changed[start + 4 : start + 6] = _REPRESENTATIONS[rng.integers(len(_REPRESENTATIONS))]
    elif edit == "length":
        length = _LENGTHS[rng.integers(len(_LENGTHS))]
        long = bytes(changed[start + 4 : start + 6]).decode("latin-1") in EXPLICIT_VR_LENGTH_32
        offset = start + (8 if long else 6)
        form = f"{orders[0]}I" if long else f"{orders[0]}H"
        struct.pack_into(form, changed, offset, length if long else length & 0xFFFF)
    else:
        end = start + int(rng.integers(8, 80))
        changed[end:end] = changed[start:end]
    return bytes(changed)


# --- other formats


def _edit_nifti(content: bytes, rng: Generator) -> bytes:
    """Set one field of the header to an extreme or any value."""
    header = nibabel.Nifti1Header.template_dtype
    field = header.names[rng.integers(len(header.names))]
    kind, offset = header.fields[field][:2]
    base = kind.base
    count = kind.itemsize // base.itemsize
    place = offset + base.itemsize * int(rng.integers(count))
    if base.kind in "iu":
        limits = np.iinfo(base)
        value = np.array(rng.choice([0, 1, -1 % 128, 2, 7, limits.max, limits.min]), base).tobytes()
    elif base.kind == "f":
        value = np.array(rng.choice([0.0, -1.0, np.nan, np.inf, 1e38, 1e-38, 352.0]), base).tobytes()
    else:
        value = rng.bytes(base.itemsize)
    return content[:place] + value + content[place + len(value) :]


def _edit_inside_gzip(content: bytes, rng: Generator) -> bytes:
    try:
        inside = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return _flip_bits(content, rng)
    way = (_edit_nifti, _edit_nifti, *_ANY)[rng.integers(len(_ANY) + 2)]
    return gzip.compress(way(inside, rng), mtime=0)


def _bomb_gzip(content: bytes, rng: Generator) -> bytes:
    """Append far more samples than the header claims."""
    return content + gzip.compress(b"\0" * int(rng.integers(2**20, 2**26)), mtime=0)


def _edit_json(content: bytes, rng: Generator) -> bytes:
    try:
        fields = json.loads(content)
        keys = list(fields)
        fields[keys[rng.integers(len(keys))]] = _JSON_VALUES[rng.integers(len(_JSON_VALUES))]
    except (ValueError, TypeError, RecursionError):
        return b"[" * int(rng.integers(1, 100_000))
    return json.dumps(fields).encode()


def _edit_number(content: bytes, rng: Generator) -> bytes:
    """Change one number of a text header."""
    numbers = list(re.finditer(rb"\d+(\.\d+)?", content[:_HEADER_BYTES]))
    if not numbers:
        return _flip_bits(content, rng)
    number = numbers[rng.integers(len(numbers))]
    return content[: number.start()] + _NUMBERS[rng.integers(len(_NUMBERS))] + content[number.end() :]


def _edit_zip_directory(content: bytes, rng: Generator) -> bytes:
    """Change a field of a member's entry, or of the end of the directory."""
    entries = [match.start() for match in re.finditer(b"PK\x01\x02|PK\x05\x06|PK\x03\x04", content)]
    if not entries:
        return _flip_bits(content, rng)
    place = entries[rng.integers(len(entries))] + int(rng.integers(4, 46))
    value = struct.pack("<I", _LENGTHS[rng.integers(len(_LENGTHS))])[: rng.integers(1, 5)]
    return content[:place] + value + content[place + len(value) :]
