"""Pictures of one hip: slices through the head as the scanner took them, with what was found drawn on top."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.config.report import ReportConfig
from toh_mri.core.hip import LINES, HipResult, HipSeries, Label, Structure
from toh_mri.geometry import Grid, Image, Sphere
from toh_mri.report.outlines import mask_path, polyline_path
from toh_mri.report.png import data_uri
from toh_mri.report.view import View, direction_word

_WINDOW_PERCENTILES = (1.0, 99.7)
_SLIVER_FRACTION = 0.15  # slices that cut less of the head than this share of the largest cut show little


@dataclass(frozen=True)
class Layer:
    """One structure drawn over a picture: its name and an SVG path in mm, `filled` or a line."""

    name: str
    path: str
    filled: bool


@dataclass(frozen=True)
class Picture:
    """One slice of one series. `letters` are the patient's directions at left, right, top and bottom."""

    title: str
    base: str
    width_mm: float
    height_mm: float
    letters: tuple[str, str, str, str]


@dataclass(frozen=True)
class SlicePictures:
    """One slice position: the reference series, the T1 series in the same plane, and what is drawn on both.

    `number` counts from 1 in the whole reference series; `missing` where the source lacks this slice of it.
    """

    number: int
    count: int
    missing: bool
    position: str
    pictures: tuple[Picture, ...]
    layers: tuple[Layer, ...]


def hip_pictures(result: HipResult, settings: ReportConfig) -> tuple[SlicePictures, ...]:
    """Return the pictures of one hip, evenly spread over the slices that cut its head."""
    drawing = _Drawing(result, settings.picture_radius_mm)
    slices = _spread(drawing.slices_through_head(), settings.slices_per_hip, drawing.middle_slice())
    shown = drawing.pictures(slices, _companion(result.images.series))
    return tuple(drawing.described(k, pictures) for k, pictures in zip(slices, shown, strict=True))


def middle_picture(result: HipResult, settings: ReportConfig) -> SlicePictures:
    """Return the reference series' slice nearest to the head's centre."""
    drawing = _Drawing(result, settings.picture_radius_mm)
    k = drawing.middle_slice()
    return drawing.described(k, drawing.pictures([k], None)[0])


def _spread(available: NDArray[np.intp], count: int, middle: int) -> list[int]:
    """Choose `count` slices evenly, each in the middle of its share, and always `middle`."""
    if len(available) <= count:
        return [int(k) for k in available]
    places = (np.arange(count) + 0.5) * len(available) / count
    chosen = available[places.astype(int)]
    chosen[np.argmin(np.abs(chosen - middle))] = middle
    return [int(k) for k in chosen]


def _companion(series: tuple[HipSeries, ...]) -> HipSeries | None:
    """Return the first T1-like series beside the reference."""
    for candidate in series[1:]:
        if candidate.info.role is not None and candidate.info.role.contrast.is_t1_like:
            return candidate
    return None


def _window(pictures: list[NDArray[np.float32]]) -> tuple[float, float]:
    """Return the grey values shown black and white, the same for all slices of a series."""
    values = np.concatenate([picture[np.isfinite(picture)] for picture in pictures] or [np.zeros(1, np.float32)])
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, _WINDOW_PERCENTILES)
    return float(low), float(max(high, low + 1e-6))


class _Drawing:
    """Draws slices of one hip's reference crop, in a box round the head."""

    def __init__(self, result: HipResult, radius_mm: float) -> None:
        self.result = result
        self.image: Image = result.images.reference_series.image
        self.view = View.of(self.grid)
        middle = self.view.place(self.grid.to_index(self.head.center)[1:], self.grid.shape[1:])
        reach = radius_mm / np.array(self.view.pixel_mm)
        size = self.view.arrange(self.image.array[0]).shape
        self.low = np.clip(np.floor(middle - reach), 0, np.array(size) - 1).astype(int)
        self.high = np.clip(np.ceil(middle + reach) + 1, self.low + 1, size).astype(int)

    @property
    def grid(self) -> Grid:
        return self.image.grid

    @property
    def head(self) -> Sphere:
        anatomy = self.result.anatomy
        return self.result.images.location.sphere if anatomy is None else anatomy.head

    @cached_property
    def normal(self) -> NDArray[np.float64]:
        return np.asarray(self.grid.directions[:, 0])

    def slices_through_head(self) -> NDArray[np.intp]:
        """Return the slices of the crop that cut the segmented head, or else the located sphere."""
        anatomy = self.result.anatomy
        pixels = np.zeros(1) if anatomy is None else anatomy.mask(Label.FEMORAL_HEAD).sum(axis=(1, 2))
        if pixels.any():
            return np.flatnonzero(pixels >= _SLIVER_FRACTION * pixels.max())
        distance = np.abs(np.arange(self.grid.shape[0]) - self.grid.to_index(self.head.center)[0])
        reach = max(self.head.radius_mm / self.grid.spacing_mm[0], float(distance.min()))
        return np.flatnonzero(distance <= reach)

    def middle_slice(self) -> int:
        """Return the slice nearest to the head's centre, of those that the source has."""
        slices = np.flatnonzero(self.result.images.reference_series.has_slice)
        return int(slices[np.argmin(np.abs(slices - self.grid.to_index(self.head.center)[0]))])

    def pictures(self, slices: list[int], companion: HipSeries | None) -> list[tuple[Picture, ...]]:
        """Return, per slice, the scanner's own samples, and a companion series in the same plane if given."""
        own = [self._cut(np.asarray(self.image.array[k], dtype=np.float32)) for k in slices]
        columns = [self._as_pictures(own, self.result.images.reference)]
        if companion is not None:
            twins = [self._sampled(companion, k) for k in slices]
            columns.append(self._as_pictures(twins, f"{companion.info.name}, interpolated to the same plane"))
        return list(zip(*columns, strict=True))

    def described(self, k: int, pictures: tuple[Picture, ...]) -> SlicePictures:
        """Say which slice pictures show, and draw what was found in it."""
        return SlicePictures(
            number=k + self.result.images.crop_start[0] + 1,
            count=self.result.images.full_grid_shape[0],
            missing=k in self.result.images.reference_series.missing_slices,
            position=self.position_text(k),
            pictures=pictures,
            layers=self.layers(k),
        )

    def _sampled(self, series: HipSeries, k: int) -> NDArray[np.float32]:
        """Interpolate another series to the pixels of slice `k`: for the eye, never for measuring."""
        rows, columns = np.indices(self.grid.shape[1:])
        points = self.grid.to_world(np.stack([np.full(rows.shape, k), rows, columns], axis=-1))
        return self._cut(series.image_in_reference.sample(points))

    def _as_pictures(self, planes: list[NDArray[np.float32]], title: str) -> list[Picture]:
        """Turn slices of one series into pictures; what lies outside its field of view is black."""
        low, high = _window(planes)
        pictures = []
        for plane in planes:
            grey = np.clip((np.nan_to_num(plane, nan=low) - low) / (high - low), 0, 1) * 255
            height, width = (float(n * mm) for n, mm in zip(plane.shape, self.view.pixel_mm, strict=True))
            base = data_uri(np.round(grey).astype(np.uint8))
            pictures.append(Picture(title, base, width, height, self.view.letters))
        return pictures

    def position_text(self, k: int) -> str:
        """Say where slice `k` lies: its distance from the head's centre, and on which side of it."""
        offset = float((k - self.grid.to_index(self.head.center)[0]) * self.grid.spacing_mm[0])
        if abs(offset) < 0.05:
            return "through the head's centre"
        return f"{abs(offset):.1f} mm {direction_word(self.normal * np.sign(offset))} of the head's centre"

    def layers(self, k: int) -> tuple[Layer, ...]:
        """Return everything found in slice `k`: areas first, lines on top."""
        found = [*self._areas(k), *self._outlines(k), *self._polylines(k)]
        return tuple(layer for layer in found if layer.path)

    def _areas(self, k: int) -> list[Layer]:
        findings = self.result.findings
        if findings is None:
            return []
        masks = [(structure, findings.masks[structure]) for structure in Structure if structure in findings.masks]
        return [Layer(str(structure), self._mask_path(mask.array[k] != 0), filled=True) for structure, mask in masks]

    def _outlines(self, k: int) -> list[Layer]:
        anatomy = self.result.anatomy
        if anatomy is None:
            return [Layer("located_head", self._circle(k), filled=False)]
        shown = (Label.ACETABULUM, Label.PROXIMAL_FEMUR, Label.FEMORAL_NECK, Label.FEMORAL_HEAD)
        return [Layer(str(label), self._mask_path(anatomy.mask(label)[k]), filled=False) for label in shown]

    def _polylines(self, k: int) -> list[Layer]:
        items = () if self.result.findings is None else self.result.findings.items
        return [
            Layer(str(item.structure), self._polyline(np.array(line), k), filled=False)
            for item in items
            if item.structure in LINES
            for line in item.polylines_lps_mm
        ]

    def _cut(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        (top, left), (bottom, right) = self.low, self.high
        return np.ascontiguousarray(self.view.arrange(plane)[top:bottom, left:right])

    def _mask_path(self, plane: NDArray[np.bool_]) -> str:
        (top, left), (bottom, right) = self.low, self.high
        return mask_path(self.view.arrange(plane)[top:bottom, left:right], self.view.pixel_mm)

    def _polyline(self, points: NDArray[np.float64], k: int) -> str:
        index = self.grid.to_index(points)
        return polyline_path(self._to_picture_mm(index[:, 1:]), np.abs(index[:, 0] - k) <= 0.5)

    def _circle(self, k: int) -> str:
        index = self.grid.to_index(self.head.center)
        off_plane = (k - index[0]) * self.grid.spacing_mm[0]
        radius = np.sqrt(max(self.head.radius_mm**2 - off_plane**2, 0.0))
        angle = np.linspace(0, 2 * np.pi, 73)
        circle = index[1:] + radius * np.column_stack([np.sin(angle), np.cos(angle)]) / self.grid.spacing_mm[1:]
        return polyline_path(self._to_picture_mm(circle), np.full(len(angle), radius > 0))

    def _to_picture_mm(self, row_column: NDArray[np.float64]) -> NDArray[np.float64]:
        pixels = self.view.place(row_column, (self.grid.shape[1], self.grid.shape[2])) - self.low + 0.5
        return np.asarray(pixels * self.view.pixel_mm)
