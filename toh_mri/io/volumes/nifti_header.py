"""Open a NIfTI file, plain or gzip-compressed, NIfTI-1 or NIfTI-2, and check what its header claims.

Whether a file is compressed is told by its first bytes: browsers unpack downloads and keep the name.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import nibabel
import numpy as np
from numpy.typing import NDArray

from toh_mri.core.errors import InputError
from toh_mri.io.files.foreign import foreign_errors
from toh_mri.io.files.opening import open_binary, read_head
from toh_mri.io.volumes.nifti_geometry import sizes

# No deflate stream unpacks to more than 1032 times its size (https://zlib.net/zlib_tech.html).
MOST_DEFLATE_RATIO = 1032

_CODE = "nifti_unreadable"
_BROKEN = "is no readable NIfTI file"
_GZIP = 16  # zlib's sign that a stream has gzip's frame
_HEAD_BYTES = 2**14  # of the file: holds the header, compressed or not
_GZIP_MARK = b"\x1f\x8b"
_NIFTI1_BYTES, _NIFTI2_BYTES = 348, 540
_SMALLEST_OFFSET = {_NIFTI1_BYTES: 352, _NIFTI2_BYTES: 544}
_CHUNK_BYTES = 2**20


class NiftiFile(NamedTuple):
    """An open NIfTI file.

    Attributes
    ----------
    header : nibabel.Nifti1Header
        NIfTI-1 or NIfTI-2.
    stream : binary file
        The file's bytes, unpacked.
    most_bytes : int
        What the file can hold at most, unpacked.
    """

    header: nibabel.Nifti1Header
    stream: BinaryIO
    most_bytes: int


def read_header(path: Path) -> nibabel.Nifti1Header:
    """Read the header of a NIfTI file and no more. Raises as `open_nifti` does."""
    with foreign_errors(_CODE, f"{path.name}: {_BROKEN}"):
        head = read_head(path, _HEAD_BYTES)
        if head.startswith(_GZIP_MARK):
            head = zlib.decompressobj(wbits=zlib.MAX_WBITS | _GZIP).decompress(head, _NIFTI2_BYTES)
        return _header(head, path.name)


@contextmanager
def open_nifti(path: Path) -> Iterator[NiftiFile]:
    """Open a NIfTI file and read its header.

    Raises
    ------
    InputError
        ``nifti_unreadable`` where it is none, holds colours or complex numbers, or breaks while it is open;
        ``not_three_dimensional``.
    """
    with foreign_errors(_CODE, f"{path.name}: {_BROKEN}"), open_binary(path) as raw:
        size = raw.seek(0, os.SEEK_END)
        raw.seek(0)
        packed = raw.read(len(_GZIP_MARK)) == _GZIP_MARK
        raw.seek(0)
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
        header = _header(stream.read(_NIFTI2_BYTES), path.name)
        yield NiftiFile(header, stream, size * MOST_DEFLATE_RATIO if packed else size)


def check_size(file: NiftiFile, name: str) -> None:
    """Compare the samples that the header claims with what a file of this size can hold, before memory is taken.

    Raises
    ------
    InputError
        ``nifti_unreadable``.
    """
    shape, volumes = sizes(file.header)
    claimed = math.prod(shape) * volumes * int(file.header.get_data_dtype().itemsize)
    if _offset(file.header) + claimed > file.most_bytes:
        raise _too_short(name)


def stored_samples(file: NiftiFile, name: str, volume: int) -> Iterator[tuple[int, NDArray[np.number]]]:
    """Read the stored samples of one volume piece by piece, so that little memory is taken twice.

    Yields
    ------
    first : int
        Index k of the first slab of the piece.
    piece : ndarray
        Stored samples, shape (slabs, j, i), of the file's own type and byte order.

    Raises
    ------
    InputError
        ``nifti_unreadable`` where the file is shorter than its header claims.
    """
    (i, j, k), volumes = sizes(file.header)
    kind = file.header.get_data_dtype()
    slab_bytes = i * j * kind.itemsize
    file.stream.seek(_offset(file.header) + volume * k * slab_bytes)
    step = max(1, _CHUNK_BYTES // slab_bytes)
    for first in range(0, k, step):
        slabs = min(step, k - first)
        content = file.stream.read(slabs * slab_bytes)
        if len(content) < slabs * slab_bytes:
            raise _too_short(name)
        yield first, np.frombuffer(content, kind).reshape(slabs, j, i)
    if volume == volumes - 1:
        file.stream.read(1)  # at its end a compressed file's checksum is compared


def scaling(header: nibabel.Nifti1Header) -> tuple[float, float]:
    """Return slope and intercept that turn stored samples into signal; (1, 0) where the header gives none."""
    slope, intercept = header.get_slope_inter()
    return (1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept))


def _header(block: bytes, name: str) -> nibabel.Nifti1Header:
    size = next((size for size in _SMALLEST_OFFSET if size in _as_integers(block[:4])), None)
    if size == _NIFTI1_BYTES and block[344:348] == b"n+1\0":
        header = nibabel.Nifti1Header(block[:_NIFTI1_BYTES])
    elif size == _NIFTI2_BYTES and block[4:12] == b"n+2\0\r\n\x1a\n":
        header = nibabel.Nifti2Header(block[:_NIFTI2_BYTES])
    else:
        raise InputError(_CODE, f"{name}: is of another format than its name says.")
    kind = header.get_data_dtype()
    if kind.kind not in "iufb" or kind.names:
        raise InputError(_CODE, f"{name}: its samples are colours or complex numbers, not signal.")
    sizes(header)
    return header


def _offset(header: nibabel.Nifti1Header) -> int:
    return max(int(header.get_data_offset()), _SMALLEST_OFFSET[int(header["sizeof_hdr"])])


def _as_integers(content: bytes) -> tuple[int, int]:
    return int.from_bytes(content, "little"), int.from_bytes(content, "big")


def _too_short(name: str) -> InputError:
    return InputError(
        "nifti_unreadable",
        f"{name}: its header claims more samples than the file holds.",
        "The file is incomplete or damaged: copy or convert it again.",
    )
