"""Settings of the choice and alignment of series."""

from __future__ import annotations

from toh_mri.core.config.field import setting
from toh_mri.core.frozen import FrozenModel


class PreprocessConfig(FrozenModel):
    """Alignment between series, choice of the reference series, crops."""

    align: bool = setting(
        True,
        unit="-",
        source="patients move between series",
        about="Register every series rigidly to the anchor series; off: trust the scanner's coordinates.",
    )
    maximum_shift_mm: float = setting(
        15.0,
        unit="mm",
        source="convention: beyond this a registration is taken for a failure and not applied",
        about="Largest accepted displacement of a series at the middle of its field of view.",
        gt=0,
        le=50,
    )
    maximum_rotation_degree: float = setting(
        10.0,
        unit="degree",
        source="convention: beyond this a registration is taken for a failure and not applied",
        about="Largest accepted rotation of a series.",
        gt=0,
        le=45,
    )
    coverage_tie_fraction: float = setting(
        0.1,
        unit="fraction",
        source="convention",
        about="Reference candidates whose coverage of the hip differs by less are ordered by contrast.",
        ge=0,
        le=1,
    )
    crop_radius_mm: float = setting(
        80.0,
        unit="mm",
        source="two head radii plus the neck and the lesser trochanter",
        about="Each hip is cropped to the box that holds a ball of this radius round the head centre.",
        ge=40,
        le=200,
    )
