"""Frozen values of one hip: where it is, its images, anatomy, findings, measurements and classification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from toh_mri.core.frozen import FrozenDict, FrozenMapping, FrozenModel
from toh_mri.core.study import Alignment, SeriesInfo
from toh_mri.geometry import Image, Plane, Side, Sphere, read_only

Scalar = float | int | bool | str

_ON_SLICE = 1e-3  # of the slice distance: a point this near to a slice takes its value from that slice alone


class Label(StrEnum):
    """Structures of ``anatomy.nii.gz``."""

    FEMORAL_HEAD = "femoral_head"
    FEMORAL_NECK = "femoral_neck"
    PROXIMAL_FEMUR = "proximal_femur"
    ACETABULUM = "acetabulum"

    @property
    def code(self) -> int:
        """Value in the label image."""
        return list(Label).index(self) + 1


class Structure(StrEnum):
    """Structures with a 0/1 image of their own."""

    EDEMA = "edema"
    BAND = "band"
    SUBCHONDRAL_LINE = "subchondral_line"
    NECK_LINE = "neck_line"
    NECROSIS = "necrosis"
    EFFUSION = "effusion"
    CYST = "cyst"


LINES = (Structure.BAND, Structure.SUBCHONDRAL_LINE, Structure.NECK_LINE)
"""Structures that are traced as lines."""


class Status(StrEnum):
    """What to think of a result."""

    OK = "ok"
    REVIEW = "review"
    FAILED = "failed"


class Pattern(StrEnum):
    """Distributions, not diagnoses."""

    NO_FINDING = "no_finding"
    TOH_LIKE = "toh_like"
    ON_LIKE = "on_like"
    INDETERMINATE = "indeterminate"


class Check(FrozenModel):
    """One plausibility check: what was looked at, the value, and whether it asks for a look."""

    code: str
    status: Status
    value: float | None
    message: str


@dataclass(frozen=True)
class HipLocation:
    """A femoral head, roughly.

    Attributes
    ----------
    side : Side
    sphere : Sphere
        In the study's common frame, LPS mm.
    score : float
        0..1, agreement of the pictures with a femoral head at that place.
    coverage : float
        0..1, share of the head's rim that supports it.
    dimensionality : int
        3, or 2 for single slices, where the sphere is the circle seen in the slice.
    checks : tuple of Check
    """

    side: Side
    sphere: Sphere
    score: float
    coverage: float
    dimensionality: int
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class HipSeries:
    """One series, cropped round one hip, samples untouched on their native grid.

    Attributes
    ----------
    info : SeriesInfo
    image : Image of float32
    to_reference : ndarray of float64, shape (4, 4)
        Rigid: LPS mm of this series to LPS mm of the hip's reference series.
    alignment : Alignment
    missing_slices : tuple of int
        Slices of the crop (`info.missing_slices` are those of the whole series) that the source lacks. Their samples
        are interpolated: good for shapes, never to be measured.
    """

    info: SeriesInfo
    image: Image
    to_reference: NDArray[np.float64]
    alignment: Alignment
    missing_slices: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "to_reference", read_only(self.to_reference))

    @property
    def has_slice(self) -> NDArray[np.bool_]:
        """Which slices of the crop the source has, shape (slices,)."""
        return ~np.isin(np.arange(self.image.grid.shape[0]), self.missing_slices)

    @property
    def image_in_reference(self) -> Image:
        """The same samples, placed in the reference series' patient space."""
        return Image(self.image.array, self.image.grid.transformed(self.to_reference))

    def sample_measured(self, world: NDArray[np.float64]) -> NDArray[np.float32]:
        """Interpolate linearly at LPS points of the reference series' space, shape (n, 3), in mm.

        NaN outside the field of view, and where a missing slice would have a part in the value.
        """
        image = self.image_in_reference
        values = image.sample(world)
        if self.missing_slices:
            along = image.grid.to_index(world)[:, :1]
            values[(np.abs(along - self.missing_slices) < 1.0 - _ON_SLICE).any(axis=1)] = np.nan
        return values


@dataclass(frozen=True)
class HipImages:
    """What is known of one hip before it is segmented.

    Attributes
    ----------
    location : HipLocation
        In the reference series' patient space.
    reference : str
        Name of the series on whose native grid masks and edema are written.
    reference_reasons : tuple of str
        Why it was chosen.
    full_grid_shape, crop_start : tuple of int
        Shape of the reference series' whole grid, and where the crop starts in it.
    series : tuple of HipSeries
        The reference first.
    """

    location: HipLocation
    reference: str
    reference_reasons: tuple[str, ...]
    full_grid_shape: tuple[int, int, int]
    crop_start: tuple[int, int, int]
    series: tuple[HipSeries, ...]

    @property
    def side(self) -> Side:
        """Side of the patient."""
        return self.location.side

    @property
    def reference_series(self) -> HipSeries:
        """The series on whose grid everything is written."""
        return self.series[0]


@dataclass(frozen=True)
class Anatomy:
    """One segmented hip, in the reference series' patient space and on its cropped grid.

    Attributes
    ----------
    side : Side
    dimensionality : int
        3, or 2 for a single slice.
    labels : Image of uint8
        Codes of `Label`; 0 elsewhere. Bone with its cortex.
    marrow : Image of bool
        Bone minus cortex, one pixel at least: where signal may be measured.
    head : Sphere
        Fitted to the articular surface (the outer face of the bone).
    neck_axis : tuple of 3 float or None
        Unit vector in LPS from the head centre down the neck. None in a slice that does not show the neck.
    head_neck_plane, intertrochanteric_plane : Plane or None
        None where not determined. Normals point along the neck axis, away from the head.
    surface : ndarray of float64, shape (rows, azimuths, 3)
        The femur's outer surface as a height field in LPS mm, from the head's pole down the neck; in 2-D one
        row: the closed contour.
    confidence : float
        0..1.
    checks : tuple of Check
    acetabular_surface : ndarray of float64, shape (rows, azimuths, 3), or None
        Face of the joint's far wall on the head's rays, LPS mm; NaN on rays that do not face it. None where the
        acetabulum was not found.
    """

    side: Side
    dimensionality: int
    labels: Image
    marrow: Image
    head: Sphere
    neck_axis: tuple[float, float, float] | None
    head_neck_plane: Plane | None
    intertrochanteric_plane: Plane | None
    surface: NDArray[np.float64]
    confidence: float
    checks: tuple[Check, ...]
    acetabular_surface: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "surface", read_only(self.surface))
        if self.acetabular_surface is not None:
            object.__setattr__(self, "acetabular_surface", read_only(self.acetabular_surface))

    def mask(self, label: Label) -> NDArray[np.bool_]:
        """Voxels of one structure on the cropped reference grid."""
        return np.asarray(self.labels.array == label.code)


class Finding(FrozenModel):
    """Something seen, where, how surely, and in which pictures.

    `polylines_lps_mm` are in the reference series' patient space; `slices` are 0-based in the whole series.
    `measures` carry their unit in their name.
    """

    id: str
    structure: Structure
    confidence: float
    series: tuple[str, ...]
    slices: tuple[int, ...]
    polylines_lps_mm: tuple[tuple[tuple[float, float, float], ...], ...]
    measures: FrozenMapping[str, float]


@dataclass(frozen=True)
class Findings:
    """Edema and lines of one hip.

    Attributes
    ----------
    items : tuple of Finding
    masks : mapping of Structure to Image of bool
        On the cropped reference grid. Present and empty: looked for and not found. Missing: not looked for.
    absent : mapping of Structure to str
        Reason code of each structure not looked for.
    statistics : mapping of str to float
        What the kernels measured on the way (reference marrow, volumes by region), unit in the name.
    absent_statistics : mapping of str to str
        Reason code of each statistic that could not be measured.
    notes : tuple of str
        How reference marrow was chosen and what was vetoed, in sentences.
    """

    items: tuple[Finding, ...]
    masks: Mapping[Structure, Image]
    absent: Mapping[Structure, str]
    statistics: Mapping[str, float]
    absent_statistics: Mapping[str, str]
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("masks", "absent", "statistics", "absent_statistics"):
            object.__setattr__(self, name, FrozenDict(getattr(self, name)))


class Measurements(FrozenModel):
    """Values of the feature registry by name; `absent` holds a reason code for every missing value."""

    values: FrozenMapping[str, Scalar]
    absent: FrozenMapping[str, str]
    flags: tuple[str, ...]

    @field_validator("values", mode="before")
    @classmethod
    def _plain(cls, values: Mapping[str, object]) -> dict[str, object]:
        # Left as they are, numpy's counts and truth values would be taken for floats.
        return {key: value.item() if isinstance(value, np.generic) else value for key, value in values.items()}


class Evidence(FrozenModel):
    """One reason of a classification: points to ON (positive) or TOH (negative), and what it rests on."""

    name: str
    points: float
    statement: str
    findings: tuple[str, ...] = ()


class Classification(FrozenModel):
    """The distribution of one hip and why.

    `probability_on` is 0..1, TOH-like against ON-like; None where no classification was made or there is no
    finding.
    """

    pattern: Pattern | None
    probability_on: float | None
    evidence: tuple[Evidence, ...]
    model: str
    reason: str | None = None


@dataclass(frozen=True)
class HipResult:
    """Everything about one hip. Parts after the one that failed are None and `record` says why."""

    images: HipImages
    anatomy: Anatomy | None = None
    findings: Findings | None = None
    measurements: Measurements | None = None
    classification: Classification | None = None
