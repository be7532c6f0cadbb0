"""Settings of edema quantification and line detection."""

from __future__ import annotations

from toh_mri.core.config.field import setting
from toh_mri.core.frozen import FrozenModel


class LesionsConfig(FrozenModel):
    """Edema and lines."""

    edema_threshold_sd: float = setting(
        2.5,
        unit="robust SD of reference marrow",
        source="median + k * 1.4826 * MAD of reference marrow, k between 2 and 3 as usual in published work",
        about="A marrow voxel is edema where its signal exceeds the reference by this many robust SD.",
        gt=0,
        le=10,
    )
    edema_minimum_fraction: float = setting(
        0.25,
        unit="fraction",
        source="this project's definition of edema: marrow with an edema fraction above 0.25",
        about="Besides, the signal must have risen by this share of what wholly edematous marrow gains.",
        ge=0,
        lt=1,
    )
    fatty_t1_fraction: float = setting(
        0.97,
        unit="fraction of reference marrow's T1 signal",
        source="two-pool signal model: T1 signal falls by 14 % at an edema fraction of 0.25",
        about="Marrow at or above this on T1 has lost no fat: bright there means failed fat suppression.",
        gt=0,
        le=2,
    )
    red_marrow_fraction: float = setting(
        0.45,
        unit="edema fraction",
        source="two-pool signal model: haematopoietic marrow looks like an edema fraction of 0.27 to 0.43",
        about="Outside the head, a region whose 95th percentile is below this is taken for red marrow.",
        ge=0,
        le=1,
    )
    edema_minimum_region_ml: float = setting(
        0.05,
        unit="ml",
        source="convention: a ball of 4.6 mm across, about one slice",
        about="Connected edema smaller than this is dropped.",
        ge=0,
        le=5,
    )
    line_sigmas_mm: tuple[float, ...] = setting(
        (0.6, 0.9, 1.3),
        unit="mm",
        source="bands and fracture lines are 1 to 3 mm thick; response peaks at about 0.6 of the thickness",
        about="Scales of the in-plane line response.",
        min_length=1,
        max_length=8,
    )
    line_response_low: float = setting(
        0.04,
        unit="fraction of local marrow signal",
        source="a Gaussian line of contrast c has response 0.35 c at its own scale: c about 0.12",
        about="A line is followed as long as its response stays above this.",
        gt=0,
        lt=1,
    )
    line_response_high: float = setting(
        0.08,
        unit="fraction of local marrow signal",
        source="a Gaussian line of contrast c has response 0.35 c at its own scale: c about 0.23",
        about="A line must somewhere reach this.",
        gt=0,
        lt=1,
    )
    line_minimum_contrast: float = setting(
        0.15,
        unit="fraction of the ground beside the line",
        source="convention: three times the noise of a T1 series of signal-to-noise ratio 20",
        about="A line must be this much darker than the marrow on both sides.",
        gt=0,
        lt=1,
    )
    line_minimum_length_mm: float = setting(
        10.0,
        unit="mm",
        source="convention: below it a line is hardly told from a vessel or trabecular group",
        about="A finding must be this long, in a slice or across slices.",
        gt=0,
        le=50,
    )
    line_minimum_depth_mm: float = setting(
        2.5,
        unit="mm",
        source="plate of the head, 1 mm, plus the error of the bone surface, 1 mm, plus half a line's width",
        about="Lines nearer to the bone surface are taken for its plate or cortex.",
        ge=0,
        le=5,
    )
    subchondral_depth_mm: float = setting(
        6.0,
        unit="mm",
        source="histology of 104 heads (10.1055/s-0038-1646937): fracture 1.6 mm, necrosis 15.4 mm (means); on MRI "
        "fractures lie up to 0.16 of the head's diameter deep, less 1 mm for the error of the bone surface",
        about="A line whose median depth is below this and that runs parallel to the surface is subchondral.",
        gt=0,
        le=10,
    )
    line_minimum_confidence: float = setting(
        0.35,
        unit="fraction",
        source="convention",
        about="Lines of less confidence are not reported.",
        ge=0,
        le=1,
    )
