"""Functional groups of enhanced multi-frame objects, flattened to the keywords of single-frame objects."""

from __future__ import annotations

from collections.abc import Iterator

from toh_mri.io.dicom.elements import Elements
from toh_mri.io.dicom.scaling import PHILIPS_SCALE_SLOPE, philips_scale_slope

FrameGroups = dict[str, object]

# Functional group -> what to take from it: name there -> name in a single-frame object
# (DICOM PS3.3 C.7.6.16 and C.8.13).
_PLAIN: dict[str, dict[str, str]] = {
    "PlanePositionSequence": {"ImagePositionPatient": "ImagePositionPatient"},
    "PlaneOrientationSequence": {"ImageOrientationPatient": "ImageOrientationPatient"},
    "PixelMeasuresSequence": {
        "PixelSpacing": "PixelSpacing",
        "SliceThickness": "SliceThickness",
        "SpacingBetweenSlices": "SpacingBetweenSlices",
    },
    "PixelValueTransformationSequence": {
        "RescaleSlope": "RescaleSlope",
        "RescaleIntercept": "RescaleIntercept",
    },
    "RealWorldValueMappingSequence": {
        "RealWorldValueSlope": "RealWorldValueSlope",
        "RealWorldValueIntercept": "RealWorldValueIntercept",
    },
    "FrameContentSequence": {"TemporalPositionIndex": "TemporalPositionIdentifier", "StackID": "StackID"},
    "MRTimingAndRelatedParametersSequence": {
        "RepetitionTime": "RepetitionTime",
        "FlipAngle": "FlipAngle",
        "RFEchoTrainLength": "EchoTrainLength",
    },
    "MREchoSequence": {"EffectiveEchoTime": "EchoTime"},
    "MRImageFrameTypeSequence": {"FrameType": "ImageType", "ComplexImageComponent": "ComplexImageComponent"},
    "FrameAnatomySequence": {"FrameLaterality": "Laterality"},
    "MRDiffusionSequence": {"DiffusionBValue": "DiffusionBValue"},
    "MRModifierSequence": {"InversionTimes": "InversionTime"},
}
# Objects converted from single-frame ones keep here what has no group of its own (PS3.3 C.7.6.16.2.25).
_CONVERTED = {
    name: name
    for name in (
        "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "EchoTrainLength", "ScanningSequence",
        "SequenceVariant", "ScanOptions", "MRAcquisitionType", "ImageType", "SpacingBetweenSlices", "EchoNumbers",
        "AcquisitionNumber", "TriggerTime", "TemporalPositionIdentifier", "DiffusionBValue", "BodyPartExamined",
        "Laterality",
    )
}  # fmt: skip
_PLAIN |= dict.fromkeys(
    ("UnassignedSharedConvertedAttributesSequence", "UnassignedPerFrameConvertedAttributesSequence"), _CONVERTED
)
_ECHOES = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}


def functional_groups(elements: Elements) -> list[FrameGroups] | None:
    """Return one mapping of single-frame keywords per frame; None for a single-frame object."""
    per_frame = elements.items("PerFrameFunctionalGroupsSequence")
    if not per_frame:
        return None
    common: FrameGroups = dict(_sequence_codes(elements, None))
    for item in elements.items("SharedFunctionalGroupsSequence")[:1]:
        common.update(_flatten(item))
        common.update(_modifiers(elements, item))
    result = []
    for item in per_frame:
        values = common | _flatten(item)
        values.update(_modifiers(elements, item))
        region = values.pop("AnatomicRegion", None)
        if region is not None and elements("BodyPartExamined") is None:
            values.setdefault("BodyPartExamined", region)
        result.append(values)
    return result


def _flatten(item: Elements) -> FrameGroups:
    values: FrameGroups = {}
    for group, names in _PLAIN.items():
        for inner in item.items(group)[:1]:
            found = {ours: inner(theirs) for theirs, ours in names.items()}
            values.update({name: value for name, value in found.items() if value is not None})
    for anatomy in item.items("FrameAnatomySequence")[:1]:
        for region in anatomy.items("AnatomicRegionSequence")[:1]:
            values["AnatomicRegion"] = region("CodeMeaning")
    scale = philips_scale_slope(item)
    return values if scale is None else values | {PHILIPS_SCALE_SLOPE: scale}


def _modifiers(elements: Elements, item: Elements) -> FrameGroups:
    """Translate inversion and fat suppression into the codes of ScanningSequence and ScanOptions."""
    modifiers = item.items("MRModifierSequence")
    return dict(_sequence_codes(elements, modifiers[0])) if modifiers else {}


def _sequence_codes(get: Elements, modifier: Elements | None) -> Iterator[tuple[str, object]]:
    scanning = list(_ECHOES.get(str(get("EchoPulseSequence")), ()))
    if str(get("EchoPlanarPulseSequence")) == "YES":
        scanning.append("EP")
    if modifier is not None and str(modifier("InversionRecovery")) == "YES":
        scanning.append("IR")
    if scanning:
        yield "ScanningSequence", scanning
    suppression = {str(get("SpectrallySelectedSuppression"))}
    excitation = None if modifier is None else str(modifier("SpectrallySelectedExcitation"))
    if modifier is not None:
        suppression.add(str(modifier("SpectrallySelectedSuppression")))
    if suppression & {"FAT", "FAT_AND_WATER"}:
        yield "ScanOptions", ["FS"]
    elif excitation == "WATER":
        yield "ScanOptions", ["WE"]
