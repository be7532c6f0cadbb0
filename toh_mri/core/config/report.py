"""Settings of pictures and pages."""

from __future__ import annotations

from toh_mri.core.config.field import setting
from toh_mri.core.frozen import FrozenModel


class ReportConfig(FrozenModel):
    """Pictures and pages."""

    slices_per_hip: int = setting(
        6,
        unit="count",
        source="convention: about every second slice of a head at a usual spacing of 3-5 mm",
        about="Number of slices shown per hip and series.",
        ge=1,
        le=40,
    )
    picture_radius_mm: float = setting(
        58.0,
        unit="mm",
        source="two radii of a large adult head (2 x 28 mm): head, neck, the acetabulum that is measured",
        about="Each picture shows the head's centre and this much to every side.",
        ge=25,
        le=200,
    )
