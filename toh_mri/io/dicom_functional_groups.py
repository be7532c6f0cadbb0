"""Functional groups of enhanced multi-frame objects, flattened to the keywords of single-frame objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from pydicom import Dataset

from toh_mri.io.acquisition import Getter

FrameGroups = dict[str, object]
MakeGetter = Callable[[Dataset], Getter]

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
    "FrameContentSequence": {"TemporalPositionIndex": "TemporalPositionIdentifier", "StackID": "StackID"},
    "MRTimingAndRelatedParametersSequence": {
        "RepetitionTime": "RepetitionTime",
        "FlipAngle": "FlipAngle",
        "RFEchoTrainLength": "EchoTrainLength",
    },
    "MREchoSequence": {"EffectiveEchoTime": "EchoTime"},
    "MRImageFrameTypeSequence": {"FrameType": "ImageType"},
    "FrameAnatomySequence": {"FrameLaterality": "Laterality"},
    "MRDiffusionSequence": {"DiffusionBValue": "DiffusionBValue"},
    "MRModifierSequence": {"InversionTimes": "InversionTime"},
}
_ECHOES = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}


def functional_groups(dataset: Dataset, getter: MakeGetter) -> list[FrameGroups] | None:
    """Return one mapping of single-frame keywords per frame; None for a single-frame object.

    Parameters
    ----------
    dataset : pydicom.Dataset
    getter : callable
        Makes a look-up of keywords from a dataset.
    """
    get = getter(dataset)
    per_frame = _items(get, "PerFrameFunctionalGroupsSequence")
    if not per_frame:
        return None
    shared = _items(get, "SharedFunctionalGroupsSequence")[:1]
    common: FrameGroups = dict(_sequence_codes(get, None))
    for item in shared:
        common.update(_flatten(item, getter))
        common.update(_modifiers(get, item, getter))
    result = []
    for item in per_frame:
        values = common | _flatten(item, getter)
        values.update(_modifiers(get, item, getter))
        result.append(values)
    return result


def _items(get: Getter, keyword: str) -> list[Dataset]:
    return list(cast("list[Dataset]", get(keyword) or []))


def _flatten(item: Dataset, getter: MakeGetter) -> FrameGroups:
    outer = getter(item)
    values: FrameGroups = {}
    for group, names in _PLAIN.items():
        for inner in map(getter, _items(outer, group)[:1]):
            values.update({ours: inner(theirs) for theirs, ours in names.items() if inner(theirs) is not None})
    return values


def _modifiers(get: Getter, item: Dataset, getter: MakeGetter) -> FrameGroups:
    """Translate inversion and fat suppression into the codes of ScanningSequence and ScanOptions."""
    modifiers = _items(getter(item), "MRModifierSequence")
    return dict(_sequence_codes(get, getter(modifiers[0]))) if modifiers else {}


def _sequence_codes(get: Getter, modifier: Getter | None) -> Iterator[tuple[str, object]]:
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
