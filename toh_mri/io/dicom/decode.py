"""One encoded frame to its stored values, with the decoders of imagecodecs.

They are permissively licensed, let other threads run, and turn damaged data into errors: gdcm, which pydicom would take
for most syntaxes, ends the whole process on some, and the RLE decoder of pylibjpeg panics.
"""

from __future__ import annotations

from collections.abc import Callable

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid as syntaxes

from toh_mri.core.errors import InputError
from toh_mri.io.dicom.code_stream import check_frame
from toh_mri.io.dicom.file import PixelPlace

_CODE_STREAMS: dict[syntaxes.UID, Callable[[bytes], NDArray[np.integer]]] = {
    syntaxes.JPEGBaseline8Bit: imagecodecs.jpeg8_decode,
    syntaxes.JPEGExtended12Bit: imagecodecs.jpeg8_decode,
    syntaxes.JPEGLossless: imagecodecs.jpeg8_decode,
    syntaxes.JPEGLosslessSV1: imagecodecs.jpeg8_decode,
    syntaxes.JPEGLSLossless: imagecodecs.jpegls_decode,
    syntaxes.JPEGLSNearLossless: imagecodecs.jpegls_decode,
    syntaxes.JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    syntaxes.JPEG2000: imagecodecs.jpeg2k_decode,
    syntaxes.HTJ2KLossless: imagecodecs.jpeg2k_decode,
    syntaxes.HTJ2KLosslessRPCL: imagecodecs.jpeg2k_decode,
    syntaxes.HTJ2K: imagecodecs.jpeg2k_decode,
}


def decode_frame(frame: bytes, pixels: PixelPlace) -> NDArray[np.integer]:
    """Return the stored values of one encoded frame, shape (rows, columns), signed where the file says so.

    Call it behind `foreign_errors`: damaged data may raise anything.

    Raises
    ------
    InputError
        ``pixels_unreadable`` for a syntax that is not known, or a code stream that is not as the header says.
    """
    shape = (pixels.number("rows"), pixels.number("columns"))
    if pixels.syntax == syntaxes.RLELossless:
        kind = np.dtype(f"<u{pixels.number('bits_allocated') // 8}")
        stored = np.frombuffer(imagecodecs.dicomrle_decode(frame, kind), kind)
    elif pixels.syntax in _CODE_STREAMS:
        check_frame(frame, *shape)
        stored = _CODE_STREAMS[pixels.syntax](frame)
    else:
        raise InputError("pixels_unreadable", f"Its transfer syntax {_name(pixels.syntax)} is not known.")
    return _signed(stored.reshape(shape), pixels)


def _signed(stored: NDArray[np.integer], pixels: PixelPlace) -> NDArray[np.integer]:
    """Read the stored bits as the header says, whatever the code stream says of their sign."""
    bits, size = pixels.number("bits_stored"), 8 * stored.itemsize
    lower = stored.astype(stored.dtype.str.replace("i", "u"), copy=False) << np.uint8(max(size - bits, 0))
    if pixels.number("pixel_representation") == 1:
        lower = lower.view(lower.dtype.str.replace("u", "i"))
    return lower >> np.uint8(max(size - bits, 0))


def _name(syntax: syntaxes.UID) -> str:
    return f"'{syntax.name}'" if syntax.name != str(syntax) else "that it names"
