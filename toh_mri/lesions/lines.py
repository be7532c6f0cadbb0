"""Line segments of one series, slice by slice, on its native grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from toh_mri.core.config.lesions import LesionsConfig
from toh_mri.core.hip import HipSeries, Label
from toh_mri.geometry import SLACK, Image
from toh_mri.lesions.place import BonePlace
from toh_mri.lesions.profiles import Profile, across
from toh_mri.lesions.tracing import length_mm, trace_slice

_PARTS = (Label.FEMORAL_HEAD.code, Label.FEMORAL_NECK.code)
_MARROW_MARGIN_MM = 1.0  # inside the bone surface; beyond it the picture is continued from marrow
_LEVEL_MM = 5.0  # scale of the local marrow signal
_SEGMENT_MM = {True: 5.0, False: 3.0}  # in the head, in the neck: shorter pieces are not traced
_DARK_GROUND = 0.5  # of soft-tissue signal: darker marrow shows no dark lines


@dataclass(frozen=True)
class Segment:
    """A line in one slice of one series.

    Attributes
    ----------
    series : str
    slice : int
        In the cropped series.
    number : int
        Of its slice among those that the source has: neighbours differ by one, also where slices are missing
        between them.
    dark : bool
    t1_like : bool
        Seen on a series whose fat is not suppressed.
    points : ndarray of float64, shape (n, 3)
        LPS mm in the reference series' patient space.
    across_slices : ndarray of float64, shape (3,)
        Unit vector across the slices.
    slice_spacing_mm : float
    contrast, thickness_mm : float
        Of the median profile across it.
    depth_mm : ndarray of float64, shape (n,)
        Of each point below the bone surface.
    head_share : float
        Share of its points in the head; the rest is in the neck.
    """

    series: str
    slice: int
    number: int
    dark: bool
    t1_like: bool
    points: NDArray[np.float64]
    across_slices: NDArray[np.float64]
    slice_spacing_mm: float
    contrast: float
    thickness_mm: float
    depth_mm: NDArray[np.float64]
    head_share: float

    @property
    def length_mm(self) -> float:
        """Length along the line."""
        return length_mm(self.points)


def trace_series(series: HipSeries, place: BonePlace, config: LesionsConfig) -> list[Segment]:
    """Trace dark lines, and on fat-suppressed series bright ones too, in head and neck of one series.

    In-plane: a band is a sheet in space, but a line in each thick slice. Slices that the source lacks show none.
    """
    role = series.info.role
    if role is None or not (role.contrast.is_t1_like or role.contrast.is_fluid_sensitive):
        return []
    image = _around_bone(series.image_in_reference, place)
    if image is None:
        return []
    signal = np.asarray(image.array, dtype=np.float32)
    measured = np.asarray(series.image.array)[series.has_slice]
    tissue = float(np.median(measured[measured > 0]))
    t1_like = role.contrast.is_t1_like
    floor = _DARK_GROUND * tissue
    segments = []
    for k in np.flatnonzero(series.has_slice).tolist():
        world = image.grid.crop((k, 0, 0), (k + 1, *image.grid.shape[1:])).voxel_centres()[0]
        depth = place.signed_depth_mm(world)
        marrow = depth > _MARROW_MARGIN_MM + SLACK
        wanted = marrow & np.isin(place.part(world), _PARTS)
        if not wanted.any():
            continue
        pixels, level = _continued(signal[k], marrow, image.grid.nominal_spacing_mm[1:])
        for dark in (True,) if t1_like else (True, False):
            ground = floor if dark else tissue
            shown = wanted & (level > floor) if dark else wanted
            for line in _lines(pixels, shown, np.maximum(level, ground), image, config, dark=dark):
                for piece in _below_cortex(line, k, image, place, config.line_minimum_depth_mm):
                    profile = across(pixels, piece, image.grid.spacing_mm[1:], ground, dark=dark)
                    segments.append(_segment(series, image, place, k, piece, profile, dark=dark))
    return [segment for segment in segments if segment.contrast >= config.line_minimum_contrast]


def _around_bone(image: Image, place: BonePlace) -> Image | None:
    """Crop a series to the rows and columns of the femoral head and neck; None where it misses them."""
    parts = np.isin(place.parts.array, _PARTS) & (np.asarray(place.inside_mm.array, dtype=np.float32) > 0)
    corners = place.parts.grid.to_world(np.argwhere(parts))
    index = image.grid.to_index(corners)
    margin = 6.0 / np.array(image.grid.spacing_mm)
    low = np.clip(np.floor(index.min(axis=0) - margin + SLACK), 0, image.grid.shape).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + margin - SLACK) + 1, 0, image.grid.shape).astype(int)
    low[0], high[0] = 0, image.grid.shape[0]
    if (high - low).min() < 1:
        return None
    return image.crop((0, int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))


def _continued(
    plane: NDArray[np.float32], marrow: NDArray[np.bool_], spacing_mm: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Continue marrow beyond the bone, so that joint fluid casts no response; and its smooth local level."""
    nearest = ndimage.distance_transform_edt(~marrow, sampling=spacing_mm, return_distances=False, return_indices=True)
    pixels = plane[tuple(nearest)] if marrow.any() else plane
    sigma = [_LEVEL_MM / spacing for spacing in spacing_mm]
    weight = ndimage.gaussian_filter(marrow.astype(np.float32), sigma)
    level = ndimage.gaussian_filter(np.where(marrow, plane, 0.0).astype(np.float32), sigma)
    return pixels, (level / np.maximum(weight, 1e-3)).astype(np.float32)


def _lines(
    pixels: NDArray[np.float32],
    wanted: NDArray[np.bool_],
    level: NDArray[np.float32],
    image: Image,
    config: LesionsConfig,
    *,
    dark: bool,
) -> list[NDArray[np.float64]]:
    return trace_slice(
        pixels,
        wanted,
        level,
        image.grid.nominal_spacing_mm[1:],
        config.line_sigmas_mm,
        (config.line_response_low, config.line_response_high),
        dark=dark,
        minimum_length_mm=min(_SEGMENT_MM.values()),
    )


def _world(image: Image, k: int, line: NDArray[np.float64]) -> NDArray[np.float64]:
    """LPS mm of (row, column) points of slice `k`."""
    return image.grid.to_world(np.column_stack([np.full(len(line), k), line]))


def _below_cortex(
    line: NDArray[np.float64], k: int, image: Image, place: BonePlace, least_mm: float
) -> list[NDArray[np.float64]]:
    """Cut a line where it runs in the cortex, or meets it: what is deeper remains, in pieces."""
    points = _world(image, k, line)
    runs, count = ndimage.label(place.depth_mm(points) > least_mm)
    in_head = place.part(points) == Label.FEMORAL_HEAD.code
    pieces = [runs == number for number in range(1, count + 1)]
    return [
        line[piece]
        for piece in pieces
        if piece.sum() > 1 and length_mm(points[piece]) >= _SEGMENT_MM[bool(in_head[piece].mean() >= 0.5)]
    ]


def _segment(
    series: HipSeries,
    image: Image,
    place: BonePlace,
    k: int,
    line: NDArray[np.float64],
    profile: Profile,
    *,
    dark: bool,
) -> Segment:
    """Place a line in the patient."""
    points = _world(image, k, line)
    role = series.info.role
    return Segment(
        series=series.info.name,
        slice=k,
        number=int(series.has_slice[:k].sum()),
        dark=dark,
        t1_like=bool(role and role.contrast.is_t1_like),
        points=points,
        across_slices=image.grid.directions[:, 0],
        slice_spacing_mm=image.grid.spacing_mm[0],
        contrast=profile.contrast,
        thickness_mm=profile.thickness_mm,
        depth_mm=place.depth_mm(points),
        head_share=float(np.mean(place.part(points) == Label.FEMORAL_HEAD.code)),
    )
