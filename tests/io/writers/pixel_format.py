"""How integers become the bytes of Pixel Data (DICOM PS3.5 section 8.1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset


class PixelFormat(NamedTuple):
    """Bits of a pixel.

    Attributes
    ----------
    allocated, stored : int
    signed : bool
    high_bit : int or None
        Where the stored bits end; None: the usual ``stored - 1``.
    above : int
        What stands in the bits above the stored ones, where older systems keep overlays.
    """

    allocated: int = 16
    stored: int = 16
    signed: bool = False
    high_bit: int | None = None
    above: int = 0

    @property
    def dtype(self) -> np.dtype:
        """Type of an array that holds such pixels."""
        return np.dtype(f"{'i' if self.signed else 'u'}{self.allocated // 8}")

    def describe(self, dataset: Dataset, rows: int, columns: int) -> None:
        """Set the image pixel module's attributes."""
        dataset.Rows, dataset.Columns = rows, columns
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored = self.allocated, self.stored
        dataset.HighBit = self.stored - 1 if self.high_bit is None else self.high_bit
        dataset.PixelRepresentation = int(self.signed)

    def pack(self, values: NDArray[np.integer], *, big_endian: bool = False) -> bytes:
        """Return the pixels as stored bytes, with the byte that makes their number even."""
        shift = 0 if self.high_bit is None else self.high_bit + 1 - self.stored
        fields = (values.astype(np.int64) & (2**self.stored - 1)) << shift
        fields |= self.above << (self.stored + shift)
        kind = f"{'>' if big_endian else '<'}u{self.allocated // 8}"
        content = fields.astype(kind).tobytes()
        return content + b"\0" * (len(content) % 2)


SIGNED_16 = PixelFormat(signed=True)
