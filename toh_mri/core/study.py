"""Frozen values of a study: its series, their roles, and their alignment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toh_mri.core.errors import TohMriError
from toh_mri.core.frozen import FrozenModel
from toh_mri.geometry import Grid, Image, read_only


class Contrast(StrEnum):
    """What a series shows, as far as this package cares."""

    T1 = "T1"
    STIR = "STIR"
    T2FS = "T2FS"
    PDFS = "PDFS"
    DIXON_WATER = "DIXON_WATER"
    DIXON_FAT = "DIXON_FAT"
    T2 = "T2"
    PD = "PD"
    OTHER = "OTHER"

    @property
    def is_fluid_sensitive(self) -> bool:
        """Fluid bright and fat suppressed: edema can be measured on it."""
        return self in {Contrast.STIR, Contrast.T2FS, Contrast.PDFS, Contrast.DIXON_WATER}

    @property
    def is_t1_like(self) -> bool:
        """Fat not suppressed: normal marrow is bright, the head's rim shows as bright to dark."""
        return self in {Contrast.T1, Contrast.T2, Contrast.PD, Contrast.DIXON_FAT}


class SlicePlane(StrEnum):
    """Nearest anatomical plane of the slices."""

    CORONAL = "coronal"
    AXIAL = "axial"
    SAGITTAL = "sagittal"


class Acquisition(FrozenModel):
    """How a series was acquired. Holds no identifying and no free-text tag.

    Times are in ms, angles in degrees, lengths in mm, field strength in tesla. None where the source does not
    say.
    """

    modality: str | None = None
    manufacturer: str | None = None
    field_strength_t: float | None = None
    repetition_time_ms: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_degree: float | None = None
    echo_train_length: int | None = None
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    scan_options: tuple[str, ...] = ()
    image_type: tuple[str, ...] = ()
    acquisition_type: str | None = None  # "2D" or "3D"
    contrast_agent: bool | None = None
    slice_thickness_mm: float | None = None
    body_part: str | None = None  # coded value only, for example HIP
    laterality: str | None = None  # coded value only: L, R or B


class SeriesRole(FrozenModel):
    """What a series is taken for, how sure that is (0..1), and why."""

    contrast: Contrast
    plane: SlicePlane
    score: float
    reasons: tuple[str, ...]


class Exclusion(FrozenModel):
    """Why a file or series is left out: a stable code and a sentence."""

    code: str
    message: str

    @classmethod
    def of(cls, error: TohMriError) -> Exclusion:
        """Return what an error says, as a reason."""
        return cls(code=error.code, message=error.message)


class SeriesInfo(FrozenModel):
    """What is known of a series without its pixels. `name` is made by this package and identifies no one.

    Attributes
    ----------
    name : str
        Unique in the study, for example ``COR_STIR``.
    role : SeriesRole or None
        None where the series was excluded before a role was looked for.
    shape : tuple of int or None
        Slices, rows, columns.
    spacing_mm : tuple of float or None
        Distance between voxel centres along slice, row, column.
    files : int
        Number of source files.
    excluded : Exclusion or None
        None where the series is usable.
    rescale : str or None
        How stored values were turned into signal; None where they were taken as they are or not read.
    missing_slices : tuple of int
        Slice indices that the source lacks. Their samples are interpolated from the slices beside them, so that the
        stack stays regular for finding shapes; nothing may be measured there.
    """

    name: str
    role: SeriesRole | None
    acquisition: Acquisition
    shape: tuple[int, int, int] | None
    spacing_mm: tuple[float, float, float] | None
    files: int
    excluded: Exclusion | None = None
    rescale: str | None = None
    missing_slices: tuple[int, ...] = ()


@dataclass(frozen=True)
class SeriesSource:
    """A series as indexed: known by its headers, pixels not read.

    Attributes
    ----------
    info : SeriesInfo
    paths : tuple of Path
        The files, in slice order where known.
    grid : Grid or None
        None where the series is excluded.
    description : str
        The source's own words (series description or file name): for the screen and ``key.csv``, never for
        results.
    """

    info: SeriesInfo
    paths: tuple[Path, ...]
    grid: Grid | None
    description: str = field(repr=False)


@dataclass(frozen=True)
class SkippedFile:
    """A file that belongs to no usable series, and why."""

    path: Path
    reason: Exclusion


@dataclass(frozen=True)
class StudyIdentity:
    """Who and when, as the source says. Never leaves memory but through ``key.csv`` or on request.

    `patient` and `study` are None where the input carries no identifiers; then `relative_path` stands for the study
    and `relative_patient` for the patient (the subject of a BIDS tree; empty where nothing tells patients apart).
    """

    patient: str | None = field(repr=False)
    study: str | None = field(repr=False)
    date: str | None = field(repr=False)
    relative_path: str = ""
    relative_patient: str = ""


@dataclass(frozen=True)
class StudyIndex:
    """One study as found on disk: headers only."""

    path: Path
    identity: StudyIdentity
    sources: tuple[SeriesSource, ...]
    skipped: tuple[SkippedFile, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Series:
    """A series with its pixels: float32, arbitrary units, on its native grid."""

    info: SeriesInfo
    image: Image

    @property
    def name(self) -> str:
        """Name of the series in this study."""
        return self.info.name

    @property
    def role(self) -> SeriesRole:
        """The role; series with pixels always have one."""
        if self.info.role is None:
            raise ValueError(f"{self.name} has no role")
        return self.info.role


@dataclass(frozen=True)
class Study:
    """One study, read.

    Attributes
    ----------
    study_id, patient_id : str
        Pseudonyms, or the source's identifiers where asked for.
    study_date : str or None
        The source's date where identifiers are kept, else None.
    series : tuple of Series
        Usable series, in the order of their names.
    excluded : tuple of SeriesInfo
        Series found and left out, each with its reason.
    index : StudyIndex
        Where it came from.
    warnings : tuple of str
    """

    study_id: str
    patient_id: str
    study_date: str | None
    series: tuple[Series, ...]
    excluded: tuple[SeriesInfo, ...]
    index: StudyIndex
    warnings: tuple[str, ...]

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over geometry and pixels of all series."""
        digest = hashlib.sha256()
        for item in self.series:
            digest.update(repr(item.image.grid.shape).encode())
            digest.update(item.image.grid.affine.tobytes())
            digest.update(item.image.array.data)
        return digest.hexdigest()


class Alignment(FrozenModel):
    """How a series was brought to the study's anchor series."""

    anchor: str
    method: str
    applied: bool
    shift_mm: float
    rotation_degree: float
    similarity_before: float | None
    similarity_after: float | None
    reason: str


@dataclass(frozen=True)
class AlignedSeries:
    """A series and where it lies in the study's common frame (patient space as the anchor series saw it).

    `to_frame` is a rigid transform, shape (4, 4), LPS mm of the series to LPS mm of the frame.
    """

    series: Series
    to_frame: NDArray[np.float64]
    alignment: Alignment

    def __post_init__(self) -> None:
        object.__setattr__(self, "to_frame", read_only(self.to_frame))

    @property
    def grid_in_frame(self) -> Grid:
        """The native grid, placed in the common frame; samples stay as they are."""
        return self.series.image.grid.transformed(self.to_frame)


@dataclass(frozen=True)
class AlignedStudy:
    """A study whose series lie in one frame. No signal was resampled."""

    study: Study
    anchor: str
    series: tuple[AlignedSeries, ...]
