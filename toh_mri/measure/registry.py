"""The feature registry: what every measured value is, where it comes from, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from toh_mri.core.hip import LINES, Label, Scalar, Structure
from toh_mri.measure.subject import Subject

_OWN = "this project's definition (DESIGN section 5)"
_LINE = "measured on the traced centre-line"
_INF = float("inf")
_BOTH = (2, 3)


@dataclass(frozen=True)
class Feature:
    """One measured value.

    Attributes
    ----------
    name : str
        Column of ``hips.csv``; ends with its unit where it has one.
    unit : str
        ``ml``, ``mm``, ``mm2``, ``percent``, ``fraction``, ``ratio``, ``SD`` or ``-`` for yes or no.
    definition : str
    source : str
        Publication, or this project's convention.
    range : tuple of 2 float
        Values it can take, both ends included; 0 and 1 for yes or no.
    dimensionality : tuple of int
        3, 2 (single slice) or both.
    compute : callable
        Of a `Subject`; raises `toh_mri.measure.subject.AbsentError` where the value cannot be measured.
    """

    name: str
    unit: str
    definition: str
    source: str
    range: tuple[float, float]
    dimensionality: tuple[int, ...]
    compute: Callable[[Subject], Scalar]


def _sizes(
    volume_ml: str, area_mm2: str, definition: str, source: str, compute: Callable[[Subject], Scalar]
) -> list[Feature]:
    """Make a volume, and the area that stands for it in a single slice."""
    return [
        Feature(volume_ml, "ml", f"Volume of {definition}.", source, (0.0, 2000.0), (3,), compute),
        Feature(area_mm2, "mm2", f"Area of {definition} in the slice.", source, (0.0, 40000.0), (2,), compute),
    ]


def _edema_sizes(
    volume_ml: str, area_mm2: str, definition: str, source: str, compute: Callable[[Subject], Scalar]
) -> list[Feature]:
    """Make the sizes of edema, which is not looked for in missing slices; a single slice cannot lack any."""
    volume, area = _sizes(volume_ml, area_mm2, definition, source, compute)
    return [replace(volume, definition=f"{volume.definition} A lower bound where slices are missing."), area]


def _percent_of(label: Label) -> Callable[[Subject], Scalar]:
    return lambda s: 100.0 * s.edema(label) / s.measured_size(label)


def _edema_at(k: str) -> Callable[[Subject], Scalar]:
    return lambda s: s.statistic(f"edema_at_{k}_sd_{s.unit}")


def _centre(axis: int) -> Callable[[Subject], Scalar]:
    return lambda s: s.anatomy.head.center[axis]


def _measure(structure: Structure, name: str) -> Callable[[Subject], Scalar]:
    return lambda s: s.surest(structure).measures[name]


def _present(structure: Structure) -> Callable[[Subject], Scalar]:
    return lambda s: s.found(structure)


def _confidence(structure: Structure) -> Callable[[Subject], Scalar]:
    return lambda s: s.surest(structure).confidence


def _edema_features() -> list[Feature]:
    head, neck, rest, pelvis = Label
    edema_source = f"{_OWN}; threshold rule in the record's configuration"
    features = [
        *_edema_sizes(
            "edema_volume_ml",
            "edema_area_mm2",
            "edema of the femur, and of the acetabulum within two head radii of the head's centre",
            edema_source,
            lambda s: s.edema(*Label),
        ),
        *_edema_sizes("head_edema_ml", "head_edema_mm2", "edema of the femoral head", _OWN, lambda s: s.edema(head)),
        *_edema_sizes("neck_edema_ml", "neck_edema_mm2", "edema of the femoral neck", _OWN, lambda s: s.edema(neck)),
        *_edema_sizes(
            "proximal_femur_edema_ml",
            "proximal_femur_edema_mm2",
            "edema of the femur below the intertrochanteric plane",
            _OWN,
            lambda s: s.edema(rest),
        ),
        *_edema_sizes(
            "acetabulum_edema_ml",
            "acetabulum_edema_mm2",
            "edema of the acetabulum within two head radii of the head's centre",
            _OWN,
            lambda s: s.edema(pelvis),
        ),
        Feature(
            "head_edema_percent",
            "percent",
            "Edema of the head over the head, cortex included, in the slices that are there.",
            _OWN,
            (0.0, 100.0),
            _BOTH,
            _percent_of(head),
        ),
        Feature(
            "neck_edema_percent",
            "percent",
            "Edema of the neck over the neck, cortex included, in the slices that are there.",
            _OWN,
            (0.0, 100.0),
            _BOTH,
            _percent_of(neck),
        ),
        Feature(
            "acetabulum_edema_share_percent",
            "percent",
            "Edema of the acetabulum over all edema.",
            "hip-MRI literature: edema on both sides of the joint suggests arthritis or arthrosis",
            (0.0, 100.0),
            _BOTH,
            lambda s: 100.0 * s.edema(pelvis) / max(s.edema(*Label), 1e-9),
        ),
        Feature(
            "medial_sparing_ratio",
            "ratio",
            "Mean signal of the head's medial marrow (more than half a radius medial of its centre) over the rest.",
            "medial sparing in about 90 % of transient osteoporosis (Radiopaedia, 155 hips)",
            (0.0, 100.0),
            _BOTH,
            lambda s: s.statistic("medial_sparing_ratio"),
        ),
        Feature(
            "edema_mean_fraction",
            "fraction",
            "Mean edema fraction of the edema: rise of signal over that of wholly edematous marrow.",
            "two-pool signal model from relaxation times of Gold 2004 (AJR 183:343)",
            (0.0, 20.0),
            _BOTH,
            lambda s: s.statistic("edema_mean_fraction"),
        ),
        Feature(
            "edema_mean_z",
            "SD",
            "Mean robust z of the edema against reference marrow.",
            "median and MAD, as usual",
            (0.0, 1000.0),
            _BOTH,
            lambda s: s.statistic("edema_mean_z"),
        ),
        Feature(
            "reference_marrow_ratio",
            "ratio",
            "Signal of reference marrow over local muscle, on the reference series.",
            _OWN,
            (-1.0, 2.0),
            _BOTH,
            lambda s: s.statistic("reference_marrow_ratio"),
        ),
    ]
    for k in ("2", "2_5", "3"):
        features += _edema_sizes(
            f"edema_at_{k}_sd_ml",
            f"edema_at_{k}_sd_mm2",
            f"edema at a threshold of {k.replace('_', '.')} SD",
            "sensitivity of the volume to the threshold (Nielsen 2014, BMC MSD 15:447)",
            _edema_at(k),
        )
    return features


def _anatomy_features() -> list[Feature]:
    centre = [
        Feature(
            f"head_center_{axis}_mm",
            "mm",
            f"Centre of the sphere fitted to the head's joint surface, LPS {axis} in the reference series' space.",
            _OWN,
            (-_INF, _INF),
            _BOTH,
            _centre(index),
        )
        for index, axis in enumerate("xyz")
    ]
    return [
        *_sizes(
            "head_volume_ml",
            "head_area_mm2",
            "the femoral head, cortex included",
            _OWN,
            lambda s: s.size(Label.FEMORAL_HEAD),
        ),
        *_sizes(
            "neck_volume_ml",
            "neck_area_mm2",
            "the femoral neck, cortex included",
            _OWN,
            lambda s: s.size(Label.FEMORAL_NECK),
        ),
        Feature(
            "head_diameter_mm",
            "mm",
            "Diameter of the sphere (circle of a single slice) fitted to the head's joint surface.",
            _OWN,
            (10.0, 100.0),
            _BOTH,
            lambda s: 2.0 * s.anatomy.head.radius_mm,
        ),
        *centre,
    ]


def _line_features() -> list[Feature]:
    features = []
    for structure in LINES:
        name, words = structure.value, structure.value.replace("_", " ")
        features += [
            Feature(
                f"{name}_present", "-", f"Whether a {words} was found.", _OWN, (0.0, 1.0), _BOTH, _present(structure)
            ),
            Feature(
                f"{name}_length_mm",
                "mm",
                f"Longest length of the surest {words} within a slice.",
                _LINE,
                (0.0, 300.0),
                _BOTH,
                _measure(structure, "length_mm"),
            ),
            Feature(
                f"{name}_confidence",
                "fraction",
                f"Confidence of the surest {words}: contrast, extent, slices and series that show it.",
                _OWN,
                (0.0, 1.0),
                _BOTH,
                _confidence(structure),
            ),
            Feature(
                f"{name}_depth_mm",
                "mm",
                f"Median depth of the surest {words} below the bone surface.",
                _LINE,
                (0.0, 100.0),
                _BOTH,
                _measure(structure, "depth_median_mm"),
            ),
        ]
    return [
        *features,
        Feature(
            "band_depth_ratio",
            "ratio",
            "Greatest depth of the band below the bone surface over the head's diameter.",
            "depth of the low-intensity band, 35 collapsed heads: necrosis above 0.22, fracture below",
            (0.0, 1.0),
            _BOTH,
            _measure(Structure.BAND, "band_depth_ratio"),
        ),
    ]


def _mask_features() -> list[Feature]:
    return [
        *_sizes(
            "necrosis_volume_ml",
            "necrosis_area_mm2",
            "everything between the band's outer edge and the joint surface",
            f"{_OWN}; Takashima 2018 (CORR, PMC6125745)",
            lambda s: s.mask_size(Structure.NECROSIS),
        ),
        Feature(
            "necrotic_percent",
            "percent",
            "Necrosis over the whole head, cortex included.",
            "Steinberg: mild below 15, moderate 15 to 30, severe above 30",
            (0.0, 100.0),
            _BOTH,
            lambda s: 100.0 * s.mask_size(Structure.NECROSIS) / s.size(Label.FEMORAL_HEAD),
        ),
        *_sizes(
            "effusion_volume_ml", "effusion_area_mm2", "joint effusion", _OWN, lambda s: s.mask_size(Structure.EFFUSION)
        ),
    ]


FEATURES: tuple[Feature, ...] = (*_edema_features(), *_anatomy_features(), *_line_features(), *_mask_features())
"""Every feature, in the order of the record."""
