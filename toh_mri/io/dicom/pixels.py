"""Pixels of a stack of DICOM frames, as float32 signal in slice order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import uid as syntaxes
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder

from toh_mri.core.errors import InputError
from toh_mri.geometry import Image
from toh_mri.io.acquisition import number
from toh_mri.io.dicom.code_stream import check_head
from toh_mri.io.dicom.file import PixelPlace, inflated
from toh_mri.io.dicom.header import Frame
from toh_mri.io.dicom.scaling import Scaling, stack_scalings
from toh_mri.io.dicom.stack import Stack
from toh_mri.io.files.foreign import silence, translated_errors
from toh_mri.io.files.memory import require_memory
from toh_mri.io.files.opening import open_binary
from toh_mri.io.series import Loaded

# The fastest decoder under a permissive licence for each syntax, chosen here because pydicom takes the first it finds.
# Time of another one over that of this one, 512 x 512 slices: JPEG-LS 1.7 (gdcm), RLE 5 (pydicom), JPEG 2000 1.3
# (pylibjpeg). The JPEG syntaxes have no other for more than 8 bits.
_DECODERS = {
    syntaxes.RLELossless: "pylibjpeg",
    syntaxes.JPEGLSLossless: "pyjpegls",
    syntaxes.JPEGLSNearLossless: "pyjpegls",
    syntaxes.JPEGBaseline8Bit: "pillow",
    syntaxes.JPEGExtended12Bit: "gdcm",
    syntaxes.JPEGLossless: "gdcm",
    syntaxes.JPEGLosslessSV1: "gdcm",
    syntaxes.JPEG2000Lossless: "gdcm",
    syntaxes.JPEG2000: "gdcm",
    syntaxes.HTJ2KLossless: "pylibjpeg",
    syntaxes.HTJ2KLosslessRPCL: "pylibjpeg",
    syntaxes.HTJ2K: "pylibjpeg",
}
_CODE_STREAMS = frozenset(_DECODERS) - {syntaxes.RLELossless}
_EXPORT_AGAIN = "The file is incomplete or damaged; export the series again."
_VOLUMES_AT_ONCE = 2.2  # the float32 volume itself, and the stored one of a multi-frame file
_MOST_VOXELS = 2**29  # 2 GiB of float32: more is no MR series but a broken header


def read_stack(stack: Stack) -> Loaded:
    """Read the pixels of a stack; stored values are turned into signal by each frame's own scaling.

    Slices that are missing are interpolated linearly from the ones beside them (see `SeriesInfo.missing_slices`).

    Raises
    ------
    InputError
        ``pixels_unreadable`` if a frame cannot be decoded or is not as its header says; ``too_large``.
    """
    shape = stack.grid.shape
    voxels = float(np.prod(shape, dtype=np.float64))
    if voxels > _MOST_VOXELS:
        raise InputError("too_large", f"Its headers claim {' x '.join(map(str, shape))} voxels.")
    require_memory(int(_VOLUMES_AT_ONCE * voxels * 4), "The series")
    volume = np.empty(shape, dtype=np.float32)
    scalings, in_words = stack_scalings([frame.scaling for frame in stack.frames])
    files: dict[Path, list[_Wanted]] = defaultdict(list)
    for frame, index, scaling in zip(stack.frames, stack.slices, scalings, strict=True):
        files[frame.path].append((frame, index, scaling))
    with silence():
        for path, wanted in files.items():
            _read_file(path, wanted, volume)
    _fill(volume, stack.slices, stack.missing_slices)
    return Loaded(Image(volume, stack.grid), (), in_words)


_Wanted = tuple[Frame, int, Scaling]  # the frame, its slice in the volume


def _read_file(path: Path, wanted: Sequence[_Wanted], volume: NDArray[np.float32]) -> None:
    """Decode the wanted frames of one file into their slices of `volume`."""
    where = f"Slice {wanted[0][1] + 1} of {len(volume)}"
    pixels = wanted[0][0].pixels
    if pixels is None:
        raise InputError("pixels_unreadable", f"{where} holds no pixels.")
    _check_length(pixels, where)
    what = f"{where}: its pixels cannot be read"
    with translated_errors("pixels_unreadable", what, _EXPORT_AGAIN), open_binary(path) as stream:
        frames = _decoded(inflated(stream), pixels, [frame.number for frame, _, _ in wanted])
        for (_, index, scaling), stored in zip(wanted, frames, strict=True):
            _scale(stored, scaling, volume, index)


def _decoded(stream: BinaryIO, pixels: PixelPlace, numbers: Sequence[int]) -> Iterator[NDArray[np.generic]]:
    """Yield stored frames, each of shape (rows, columns)."""
    decoder = get_decoder(pixels.syntax)
    how = {"raw": True, "view_only": True, "decoding_plugin": _DECODERS.get(pixels.syntax, ""), **pixels.options}
    if pixels.syntax in _CODE_STREAMS:
        _check_code_streams(stream, pixels, numbers)
    stream.seek(pixels.start)
    if pixels.frames == 1:
        frames = iter([decoder.as_array(stream, **how)])
    else:
        frames = decoder.iter_array(stream, indices=numbers, **how)
    for frame, _ in frames:
        yield frame >> pixels.shift if pixels.shift else frame


def _check_code_streams(stream: BinaryIO, pixels: PixelPlace, numbers: Sequence[int]) -> None:
    stream.seek(pixels.start)
    rows, columns = (int(number(pixels.options[name]) or 0) for name in ("rows", "columns"))
    for index, frame in enumerate(generate_frames(stream, number_of_frames=pixels.frames)):
        if index in numbers:
            check_head(frame, rows, columns)


def _check_length(pixels: PixelPlace, where: str) -> None:
    """Refuse plain pixels that are fewer than claimed, or a row more: each row would begin somewhere else."""
    if pixels.length is None:
        return
    get = pixels.options.get
    sizes = [get(name) for name in ("rows", "columns", "bits_allocated", "number_of_frames")]
    expected = int(np.prod([number(size) or 0 for size in (*sizes, get("samples_per_pixel", 1))])) // 8
    row = expected // max(int(number(get("rows")) or 1), 1)
    if not expected <= pixels.length < expected + max(row, 2):
        raise InputError(
            "pixels_unreadable",
            f"{where} has {pixels.length} bytes of pixels, but its header claims {expected}.",
            _EXPORT_AGAIN,
        )


def _scale(stored: NDArray[np.generic], scaling: Scaling, volume: NDArray[np.float32], index: int) -> None:
    count = len(volume)
    if stored.shape != volume.shape[1:]:
        raise InputError(
            "pixels_unreadable",
            f"Slice {index + 1} of {count} decodes to {' x '.join(map(str, stored.shape))} pixels, "
            f"not {volume.shape[1]} x {volume.shape[2]}.",
        )
    signal = volume[index]
    np.multiply(stored, np.float32(scaling.slope), out=signal, casting="unsafe")
    if scaling.intercept:
        signal += np.float32(scaling.intercept)
    # Integers times an ordinary slope are always finite.
    is_safe = stored.dtype.kind in "iu" and max(abs(scaling.slope), abs(scaling.intercept)) < 1e28
    if not is_safe and not np.isfinite(signal).all():
        raise InputError("pixels_unreadable", f"Slice {index + 1} of {count} holds values that are not finite.")


def _fill(volume: NDArray[np.float32], known: Sequence[int], missing: Sequence[int]) -> None:
    for index in missing:
        below = max(k for k in known if k < index)
        above = min(k for k in known if k > index)
        share = np.float32((index - below) / (above - below))
        volume[index] = (1 - share) * volume[below] + share * volume[above]
