"""One encoded frame to its stored values, with the decoders of imagecodecs.

They are permissively licensed, let other threads run, and bear damaged data once its head is in order (`code_stream`).
Of those that pydicom would take, gdcm ends the whole process on some damaged data, and the one of pylibjpeg panics.
"""

from __future__ import annotations

from collections.abc import Callable

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid as syntaxes

from toh_mri.core.errors import InputError
from toh_mri.io.dicom.code_stream import check_frame, check_rle
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
        size = pixels.number("bits_allocated") // 8
        check_rle(frame, size)
        kind = np.dtype(f"<u{size}")
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
    if bits < 1:
        raise InputError("pixels_unreadable", "Its header does not say how many bits are stored (BitsStored).")
    above = np.uint8(max(size - bits, 0))
    plain = stored.view(stored.dtype.str.replace("i", "u"))
    signed = plain.view(plain.dtype.str.replace("u", "i"))
    is_signed = pixels.number("pixel_representation") == 1
    values: NDArray[np.integer] = ((signed if is_signed else plain) << above) >> above
    # Above the stored bits there is nothing, or copies of the sign.
    is_clean = not ((plain << above) >> above != plain).any() or not (values != signed).any()
    if not is_clean and pixels.syntax != syntaxes.RLELossless:  # old files keep overlays there
        raise InputError("pixels_unreadable", f"It holds values of more than the {bits} bits of its header.")
    return values >> np.uint8(pixels.shift)


def _name(syntax: syntaxes.UID) -> str:
    return f"'{syntax.name}'" if syntax.name != str(syntax) else "that it names"
