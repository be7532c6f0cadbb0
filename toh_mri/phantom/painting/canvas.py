"""The raster of one slice, and the tools to paint on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toh_mri.kernels import raster
from toh_mri.phantom.points import Block, Box, Field, Lattice, upsample
from toh_mri.phantom.signal import Sequence, fat_signal, water_signal
from toh_mri.phantom.tissues import Tissue

SUB_SLICES = 4
"""Sub-slices across what a slice excites; how much each of them counts is up to `render`."""

_EDGE_MM = 0.4  # width over which a tissue's edge is blended on the raster


class Mixture(NamedTuple):
    """Water and fat signal, at samples or everywhere the same."""

    water: Field
    fat: Field

    def with_share(self, share: Field, other: Mixture) -> Mixture:
        """Replace a share 0..1 by another tissue."""
        return Mixture(*(a + share * (b - a) for a, b in zip(self, other, strict=True)))

    def times(self, factor: Field) -> Mixture:
        """Weaken both signals."""
        return Mixture(self.water * factor, self.fat * factor)


class Palette:
    """The signal of every tissue in one sequence: signed water, unsuppressed fat."""

    def __init__(self, sequence: Sequence) -> None:
        self._signal = {
            tissue: Mixture(
                np.full(1, water_signal(tissue, sequence), dtype=np.float32),
                np.full(1, fat_signal(tissue, sequence), dtype=np.float32),
            )
            for tissue in Tissue
        }

    def __getitem__(self, tissue: Tissue) -> Mixture:
        return self._signal[tissue]


class Share(NamedTuple):
    """How much of each raster sample a structure takes, in one window of the raster."""

    window: tuple[slice, slice, slice]
    value: Field


class Canvas:
    """Water and fat on the sub-slices of one slice.

    Parameters
    ----------
    lattice : Lattice
    slice_index : int
    palette : Palette
    """

    def __init__(self, lattice: Lattice, slice_index: int, palette: Palette) -> None:
        self.lattice, self.palette = lattice, palette
        self._first = slice_index * SUB_SLICES
        self._last = self._first + SUB_SLICES
        rows, columns = ((n - 1) * lattice.up + 1 for n in lattice.shape[1:])
        self.layers = Mixture(*np.zeros((2, SUB_SLICES, rows, columns), dtype=np.float32))

    def whole(self) -> Block:
        """Return the lattice of this slice."""
        return Block((self._first, 0, 0), (self._last, *self.lattice.shape[1:]))

    def block(self, box: Box) -> Block | None:
        """Return the part of the lattice that holds a box in LPS, None where this slice does not meet it."""
        found = self.lattice.block(box)
        if found.start[0] >= self._last or found.stop[0] <= self._first:
            return None
        found = Block((self._first, *found.start[1:]), (self._last, *found.stop[1:]))
        return None if found.empty else found

    def window(self, block: Block) -> tuple[slice, slice, slice]:
        """Return the part of the raster that belongs to a block."""
        up = self.lattice.up
        (_, j0, i0), (_, j1, i1) = block.start, block.stop
        return slice(None), slice(j0 * up, (j1 - 1) * up + 1), slice(i0 * up, (i1 - 1) * up + 1)

    def fine(self, field: Field) -> Field:
        """Interpolate a field of a block to the raster."""
        return upsample(field, self.lattice.up)

    def paint(self, block: Block, share: Field, paint: Tissue | Mixture) -> None:
        """Lay a tissue or mixture over what is there; `share` 0..1 on the block's raster."""
        _, rows, columns = self.window(block)
        shape = (SUB_SLICES, rows.stop - rows.start, columns.stop - columns.start)
        mixture = self.palette[paint] if isinstance(paint, Tissue) else paint
        place = (*self.layers, _spread(share, shape), rows.start, columns.start)
        if mixture.water.size == mixture.fat.size == 1:
            raster.lay_evenly(*place, *(np.float32(signal.item()) for signal in mixture))
        else:
            raster.lay(*place, *(_spread(signal, shape) for signal in mixture))


def _spread(field: Field, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return a field as kernels take it; ValueError where it does not fit the shape."""
    whole = field if field.shape == shape else np.broadcast_to(field, shape)
    return np.ascontiguousarray(whole, dtype=np.float32)


def cover(distance: Field) -> Field:
    """Share of a raster sample that lies inside a surface, from its signed distance.

    The edge is as wide as the distance changes within the thickness of a sub-slice: a surface that grazes the
    slice fades instead of showing the sub-slices as steps.
    """
    return raster.cover_planes(np.ascontiguousarray(distance, dtype=np.float32), np.float32(_EDGE_MM))


def mean_share(share: Share, shape: tuple[int, int], fine: int) -> NDArray[np.float32]:
    """Average a share over sub-slices and pixels.

    Pixel n has its centre on raster sample ``fine * n``, as it has after the scanner's k-space is cut; with
    two samples a pixel it is the mean of three, weighted 1 : 2 : 1.
    """
    rows, columns = (n * fine for n in shape)
    raster = np.zeros((rows + 2, columns + 2), dtype=np.float32)
    top, left = share.window[1].start, share.window[2].start
    part = share.value.mean(axis=0)[: rows - top, : columns - left]
    raster[top + 1 : top + 1 + part.shape[0], left + 1 : left + 1 + part.shape[1]] = part
    tall = raster[0:-2:fine] + 2 * raster[1:-1:fine] + raster[2::fine]
    return np.asarray((tall[:, 0:-2:fine] + 2 * tall[:, 1:-1:fine] + tall[:, 2::fine]) / 16)
