"""Pixels of a stack of DICOM frames, as float32 signal in slice order."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder

from toh_mri.core.errors import InputError
from toh_mri.geometry import Image
from toh_mri.io.dicom.decode import decode_frame
from toh_mri.io.dicom.file import PixelPlace, inflated
from toh_mri.io.dicom.header import Frame
from toh_mri.io.dicom.scaling import Scaling, stack_scalings
from toh_mri.io.dicom.stack import Stack
from toh_mri.io.files.foreign import silence, translated_errors
from toh_mri.io.files.memory import require_memory
from toh_mri.io.files.opening import open_binary
from toh_mri.io.series import Loaded

_EXPORT_AGAIN = "The file is incomplete or damaged; export the series again."
_MOST_THREADS = 4
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
        files[frame.path].append(_Wanted(frame, index, scaling))
    with silence(), ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
        pending = [job for path, wanted in files.items() for job in _read_file(path, wanted, volume, pool)]
        for job in pending:
            job.result()
    _fill(volume, stack.slices, stack.missing_slices)
    return Loaded(Image(volume, stack.grid), (), in_words)


class _Wanted(NamedTuple):
    """A frame, its slice in the volume, and what makes signal of its stored values."""

    frame: Frame
    slice_index: int
    scaling: Scaling

    def where(self, volume: NDArray[np.float32]) -> str:
        """Return what a message calls the slice."""
        return f"Slice {self.slice_index + 1} of {len(volume)}"


def _read_file(
    path: Path, wanted: Sequence[_Wanted], volume: NDArray[np.float32], pool: Executor
) -> list[Future[None]]:
    """Bring the wanted frames of one file into their slices of `volume`; encoded ones in the pool, in their time."""
    where = wanted[0].where(volume)
    pixels = wanted[0].frame.pixels
    if pixels is None:
        raise InputError("pixels_unreadable", f"{where} holds no pixels.")
    _check_length(pixels, where)
    with _unreadable(where), open_binary(path) as stream:
        plain = inflated(stream)
        plain.seek(pixels.start)
        if pixels.syntax.is_encapsulated:
            frames = list(generate_frames(plain, number_of_frames=pixels.frames))
            return [pool.submit(_decode, frames[item.frame.number], pixels, item, volume) for item in wanted]
        for item, stored in zip(wanted, _native(plain, pixels, wanted), strict=True):
            _scale(stored, item, volume)
    return []


def _unreadable(where: str) -> AbstractContextManager[None]:
    return translated_errors("pixels_unreadable", f"{where}: its pixels cannot be read", _EXPORT_AGAIN)


def _native(stream: BinaryIO, pixels: PixelPlace, wanted: Sequence[_Wanted]) -> Iterator[NDArray[np.generic]]:
    """Yield frames that are stored as they are, each of shape (rows, columns)."""
    decoder = get_decoder(pixels.syntax)
    how = {"raw": True, "view_only": True, **pixels.options}
    if pixels.frames == 1:
        frames = iter([decoder.as_array(stream, **how)])
    else:
        frames = decoder.iter_array(stream, indices=[item.frame.number for item in wanted], **how)
    for frame, _ in frames:
        yield frame >> pixels.shift if pixels.shift else frame


def _decode(encoded: bytes, pixels: PixelPlace, wanted: _Wanted, volume: NDArray[np.float32]) -> None:
    with _unreadable(wanted.where(volume)):
        _scale(decode_frame(encoded, pixels), wanted, volume)


def _check_length(pixels: PixelPlace, where: str) -> None:
    """Refuse plain pixels that are fewer than claimed, or a row more: each row would begin somewhere else."""
    if pixels.length is None:
        return
    frame = pixels.number("rows") * pixels.number("columns") * pixels.number("bits_allocated") // 8
    expected = frame * pixels.frames * max(pixels.number("samples_per_pixel"), 1)
    row = expected // max(pixels.number("rows"), 1)
    if not expected <= pixels.length < expected + max(row, 2):
        raise InputError(
            "pixels_unreadable",
            f"{where} has {pixels.length} bytes of pixels, but its header claims {expected}.",
            _EXPORT_AGAIN,
        )


def _scale(stored: NDArray[np.generic], wanted: _Wanted, volume: NDArray[np.float32]) -> None:
    scaling, where = wanted.scaling, wanted.where(volume)
    if stored.shape != volume.shape[1:]:
        raise InputError(
            "pixels_unreadable",
            f"{where} decodes to {' x '.join(map(str, stored.shape))} pixels, "
            f"not {volume.shape[1]} x {volume.shape[2]}.",
        )
    signal = volume[wanted.slice_index]
    np.multiply(stored, np.float32(scaling.slope), out=signal, casting="unsafe")
    if scaling.intercept:
        signal += np.float32(scaling.intercept)
    # Integers times an ordinary slope are always finite.
    is_safe = stored.dtype.kind in "iu" and max(abs(scaling.slope), abs(scaling.intercept)) < 1e28
    if not is_safe and not np.isfinite(signal).all():
        raise InputError("pixels_unreadable", f"{where} holds values that are not finite.")


def _fill(volume: NDArray[np.float32], known: Sequence[int], missing: Sequence[int]) -> None:
    for index in missing:
        below = max(k for k in known if k < index)
        above = min(k for k in known if k > index)
        share = np.float32((index - below) / (above - below))
        volume[index] = (1 - share) * volume[below] + share * volume[above]
