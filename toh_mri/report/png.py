"""Greyscale PNG: the same pixels give the same bytes, and nothing but pixels is in the file."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_UP = 2  # each row is stored as its difference to the row above


def png_bytes(grey: NDArray[np.uint8]) -> bytes:
    """Encode an array of uint8, shape (rows, columns), as an 8-bit greyscale PNG.

    PNG specification, third edition (W3C 2025), sections 5, 9 and 11.
    """
    rows, columns = grey.shape
    above = np.vstack([np.zeros((1, columns), np.uint8), grey[:-1]])
    lines = np.empty((rows, columns + 1), np.uint8)
    lines[:, 0] = _FILTER_UP
    lines[:, 1:] = grey - above
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)) + _chunk(b"IEND")


def data_uri(grey: NDArray[np.uint8]) -> str:
    """Encode a picture so that it can stand in a page."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(grey)).decode("ascii")


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
