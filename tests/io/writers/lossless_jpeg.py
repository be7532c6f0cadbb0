"""JPEG process 14 with any selection value (ITU-T T.81 annex H), written without the libraries that read it."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

_CATEGORIES = 17
_CODE_BITS = 5  # all codes are of one length: 17 of the 31 that are allowed


def lossless_jpeg(frame: NDArray[np.integer], precision: int, selection_value: int) -> bytes:
    """Encode one frame.

    Parameters
    ----------
    frame : ndarray of unsigned int, shape (rows, columns)
    precision : int
        Bits of a sample, 2 to 16.
    selection_value : int
        Predictor, 1 to 7; in transfer syntax 1.2.840.10008.1.2.4.70 always 1.
    """
    rows, columns = frame.shape
    table = bytes([0] + [_CATEGORIES if length == _CODE_BITS else 0 for length in range(1, 17)]) + bytes(
        range(_CATEGORIES)
    )
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xC3, struct.pack(">BHHB", precision, rows, columns, 1) + b"\x01\x11\x00"),
            _segment(0xC4, table),
            _segment(0xDA, b"\x01\x01\x00" + bytes([selection_value, 0, 0])),
            _entropy_coded(_differences(frame.astype(np.int64), precision, selection_value)),
            b"\xff\xd9",
        ]
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _differences(x: NDArray[np.int64], precision: int, selection_value: int) -> NDArray[np.int64]:
    left, above, corner = x[1:, :-1], x[:-1, 1:], x[:-1, :-1]
    predicted = np.empty_like(x)
    predicted[0, 0] = 1 << (precision - 1)
    predicted[0, 1:] = x[0, :-1]
    predicted[1:, 0] = x[:-1, 0]
    predicted[1:, 1:] = {
        1: left,
        2: above,
        3: corner,
        4: left + above - corner,
        5: left + ((above - corner) >> 1),
        6: above + ((left - corner) >> 1),
        7: (left + above) >> 1,
    }[selection_value]
    difference = (x - predicted) & 0xFFFF
    return np.where(difference > 0x8000, difference - 0x10000, difference)


def _entropy_coded(differences: NDArray[np.int64]) -> bytes:
    bits = []
    for difference in differences.ravel().tolist():
        category = abs(difference).bit_length()
        bits.append(f"{category:0{_CODE_BITS}b}")
        if 0 < category < 16:
            value = difference if difference > 0 else difference + (1 << category) - 1
            bits.append(f"{value:0{category}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)).replace(b"\xff", b"\xff\x00")
