"""Settings of the rule-based classification."""

from __future__ import annotations

from toh_mri.core.config.field import setting
from toh_mri.core.frozen import FrozenModel


class ClassificationConfig(FrozenModel):
    """TOH-like against ON-like."""

    minimum_edema_ml: float = setting(
        0.5,
        unit="ml",
        source="convention: about one voxel layer of a head; smaller volumes are within repeatability",
        about="Less edema than this in femur and acetabulum counts as none.",
        ge=0,
        le=50,
    )
    indeterminate_margin: float = setting(
        0.15,
        unit="fraction",
        source="convention",
        about="A probability of ON closer to one half than this is called indeterminate.",
        ge=0,
        lt=0.5,
    )
