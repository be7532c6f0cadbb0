"""Render a series slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toh_mri.geometry import Grid, Side
from toh_mri.phantom.painting.body import paint_body
from toh_mri.phantom.painting.canvas import SUB_SLICES, Canvas, Palette, Share, mean_share
from toh_mri.phantom.painting.hip import paint_hip
from toh_mri.phantom.points import Lattice
from toh_mri.phantom.scene import Scene
from toh_mri.phantom.signal import Sequence

FINE = 2
"""Raster samples for every pixel of the image, along rows and columns."""

_PROFILE = np.array([0.18, 0.32, 0.32, 0.18], dtype=np.float32)
"""Weights of the sub-slices of a two-dimensional slice: with `_PROFILE_WIDTH` a bell that spills into the gap."""

_PROFILE_WIDTH = 1.3  # what the sub-slices cover, over the nominal thickness: the author's estimate
_COARSE_MM = 1.3  # distance between the points where distances are evaluated


@dataclass(frozen=True, eq=False)
class Rendering:
    """One series before the scanner's imperfections.

    Attributes
    ----------
    water, fat : ndarray of float32, shape (slices, fine rows, fine columns)
        Signed signal of the water; unsuppressed signal of the fat.
    truth : mapping of Side to mapping of str to ndarray of float32, shape (slices, rows, columns)
        Share 0..1 of each voxel that a structure takes.
    """

    water: NDArray[np.float32]
    fat: NDArray[np.float32]
    truth: Mapping[Side, Mapping[str, NDArray[np.float32]]]


def render(scene: Scene, grid: Grid, thickness_mm: float, sequence: Sequence) -> Rendering:
    """Render one series.

    Parameters
    ----------
    scene : Scene
    grid : Grid
        Of the series, in the patient space of the scene.
    thickness_mm : float
        Thickness of the slices, which may be less than their distance.
    sequence : Sequence
    """
    weights = np.full(SUB_SLICES, 1 / SUB_SLICES, dtype=np.float32) if sequence.is_volume else _PROFILE
    excited_mm = thickness_mm * (1.0 if sequence.is_volume else _PROFILE_WIDTH)
    lattice, palette = _lattice(grid, excited_mm), Palette(sequence)
    count, rows, columns = grid.shape
    layers = np.empty((2, count, rows * FINE, columns * FINE), dtype=np.float32)
    truth: dict[Side, dict[str, NDArray[np.float32]]] = {side: {} for side in scene.hips}
    for index in range(count):
        canvas = Canvas(lattice, index, palette)
        paint_body(canvas, scene)
        for side, hip in scene.hips.items():
            for name, share in paint_hip(canvas, hip).items():
                volume = truth[side].setdefault(name, np.zeros(grid.shape, dtype=np.float32))
                seen = Share(share.window, share.value * (SUB_SLICES * weights)[:, None, None])
                volume[index] = mean_share(seen, (rows, columns), FINE)
        for layer, painted in zip(layers, canvas.layers, strict=True):
            layer[index] = np.tensordot(weights, painted, axes=1)[: rows * FINE, : columns * FINE]
    return Rendering(layers[0], layers[1], truth)


def _lattice(grid: Grid, thickness_mm: float) -> Lattice:
    """Return the lattice of a series: raster sample ``FINE * n`` is the centre of pixel n."""
    up = max(2, round(_COARSE_MM * FINE / grid.spacing_mm[1]))
    coarse = [-(-(n * FINE - 1) // up) + 1 for n in grid.shape[1:]]
    affine = grid.affine.copy()
    affine[:3, 1:3] *= up / FINE
    within = ((np.arange(SUB_SLICES) + 0.5) / SUB_SLICES - 0.5) * thickness_mm
    depths = (np.arange(grid.shape[0])[:, None] * grid.spacing_mm[0] + within).ravel()
    return Lattice(Grid((len(depths), coarse[0], coarse[1]), affine), depths, up)
