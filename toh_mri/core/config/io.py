"""Settings of the loaders."""

from __future__ import annotations

from typing import Literal

from toh_mri.core.config.field import setting
from toh_mri.core.frozen import FrozenMapping, FrozenModel

ContrastName = Literal["T1", "STIR", "T2FS", "PDFS", "DIXON_WATER", "DIXON_FAT", "T2", "PD", "OTHER"]
PlaneName = Literal["coronal", "axial", "sagittal"]


class IoConfig(FrozenModel):
    """Reading studies, choosing series roles, identifiers."""

    spacing_tolerance_fraction: float = setting(
        0.01,
        unit="fraction",
        source="highdicom's default for regularly spaced slices",
        about="Largest deviation of a slice distance from the median one, as a share of it.",
        gt=0,
        le=0.1,
    )
    maximum_shear_degree: float = setting(
        1.0,
        unit="degree",
        source="convention: moves no voxel of a hip series by more than about its own thickness",
        about="NIfTI axes further from right angles are refused; smaller errors are corrected and reported.",
        ge=0,
        le=5,
    )
    minimum_field_of_view_mm: float = setting(
        60.0,
        unit="mm",
        source="the head of an adult femur, 40-55 mm across, and some of the bone around it",
        about="A series whose slices are smaller than this in either direction shows no whole hip.",
        ge=0,
        le=200,
    )
    minimum_coverage_mm: float = setting(
        20.0,
        unit="mm",
        source="half the diameter of a small adult femoral head",
        about="A stack of several slices that covers less than this is a fragment; one slice is no stack.",
        ge=0,
        le=100,
    )
    maximum_slice_distance_mm: float = setting(
        12.0,
        unit="mm",
        source="twice the distance in usual hip protocols: slices of 3-5 mm, gaps of 0.3-1 mm",
        about="Slices further apart are a sampling of places, no stack: nothing can be followed from one to the next.",
        gt=0,
        le=40,
    )
    maximum_pixel_mm: float = setting(
        2.0,
        unit="mm",
        source="twice the pixel of a usual whole-pelvis series (0.7-1.1 mm)",
        about="A series with larger pixels is a localizer or a map: lines and rims cannot be seen on it.",
        gt=0,
        le=5,
    )
    minimum_role_score: float = setting(
        0.5,
        unit="fraction",
        source="convention: more evidence for than against",
        about="A series whose best contrast scores lower has the role OTHER.",
        ge=0,
        le=1,
    )
    allow_missing_slices: bool = setting(
        False,
        unit="-",
        source="strict by default: every volume is proportional to the slice distance",
        about="Read a series that lacks slices inside: nothing is measured there, results are flagged 'degraded'.",
    )
    picture_pixel_mm: float | None = setting(
        None,
        unit="mm",
        source="the user",
        about="Pixel spacing of exported pictures (PNG, JPEG) whose JSON file gives none.",
        gt=0,
        le=10,
    )
    picture_weighting: ContrastName | None = setting(
        None,
        unit="-",
        source="the user",
        about="Contrast of exported pictures whose JSON file gives none.",
    )
    picture_plane: PlaneName | None = setting(
        None,
        unit="-",
        source="the user",
        about="Slice plane of exported pictures whose JSON file gives none.",
    )
    picture_patient_right: Literal["left", "right"] | None = setting(
        None,
        unit="-",
        source="the user",
        about="Side of exported pictures that is the patient's right, where their JSON file gives none.",
    )
    roles: FrozenMapping[str, ContrastName] = setting(
        {},
        unit="-",
        source="the user",
        about="Overrides: pattern in series description or file name -> contrast (T1, STIR, T2FS, PDFS ...).",
    )
    keep_identifiers: bool = setting(
        False,
        unit="-",
        source="privacy by default",
        about="Write patient and study identifiers and dates as they are.",
    )
    salt: str | None = setting(
        None,
        unit="-",
        source="random, kept with the output",
        about="Secret that makes hashed identifiers unguessable; never written into a record.",
    )
