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
    minimum_edema_mm2: float = setting(
        50.0,
        unit="mm2",
        source="convention: 3 % of a head's section, as the volume is of a head",
        about="The same for a single slice.",
        ge=0,
        le=5000,
    )
    indeterminate_margin: float = setting(
        0.15,
        unit="fraction",
        source="convention",
        about="A probability of ON closer to one half than this is called indeterminate.",
        ge=0,
        lt=0.5,
    )
    diffuse_head_percent: float = setting(
        50.0,
        unit="percent of the head",
        source="plausible range of TOH 60 to 100 % of the head (hip-MRI literature, low certainty), minus a margin",
        about="Edema of at least this much of the head is diffuse.",
        ge=0,
        le=100,
    )
    neck_percent: float = setting(
        10.0,
        unit="percent of the neck",
        source="TOH reaches head and neck (Vande Berg 1993; Radiopaedia), 30 to 80 % of the neck, minus a margin",
        about="Edema of at least this much of the neck reaches the neck.",
        ge=0,
        le=100,
    )
    medial_sparing_ratio: float = setting(
        0.7,
        unit="ratio",
        source="medial sparing in about 90 % of TOH (Radiopaedia, 155 hips); the cut is a convention",
        about="Medial marrow of the head below this share of the rest's signal is spared.",
        gt=0,
        le=1,
    )
    irreversible_length_mm: float = setting(
        12.5,
        unit="mm",
        source="Vande Berg 1999 (Radiology): subchondral low signal of this length or more did not resolve, PPV 73 %",
        about="A band of at least this length counts as long.",
        gt=0,
        le=100,
    )
    necrosis_depth_ratio: float = setting(
        0.22,
        unit="fraction of the head's diameter",
        source="depth of the low-intensity band, 35 collapsed heads: cut-off between fracture and necrosis",
        about="A band reaching deeper than this speaks for necrosis.",
        gt=0,
        le=1,
    )
    both_sides_percent: float = setting(
        30.0,
        unit="percent of all edema",
        source="convention: edema of TOH lies in the femur; arthritis and arthrosis have it on both sides of the joint",
        about="With at least this share in the acetabulum, edema is as much the joint's as the head's.",
        ge=0,
        le=100,
    )
