"""What has to be known of an exported picture, from the JSON file of the same name or else from the settings.

======================  ===================================================================================
JSON field              meaning
======================  ===================================================================================
``pixel_spacing_mm``    a number, or [between rows, between columns], of the picture as it is shown
``weighting``           T1, STIR, T2FS, PDFS, DIXON_WATER, DIXON_FAT, T2, PD or OTHER
``plane``               coronal, axial or sagittal
``patient_right``       coronal and axial: the side of the picture, left or right, that is the patient's right
``anterior``            sagittal: the side of the picture, left or right, that is the patient's front
``side``                the hip it shows, left or right: needed for sagittal pictures, good to give wherever a
                        picture shows one hip
======================  ===================================================================================

Other fields are ignored. Up in the picture is the patient's head; in axial ones the front.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeVar

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError
from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Side
from toh_mri.io.acquisition import number, numbers
from toh_mri.io.files.names import picture_stem
from toh_mri.io.volumes.sidecar import read_fields

_LARGEST_PIXEL_MM = 10.0

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


class PictureDescription(NamedTuple):
    """What is known of a picture.

    Attributes
    ----------
    spacing_mm : tuple of 2 float
        Between rows, between columns.
    weighting : Contrast
    plane : SlicePlane
    toward : Side
        Side of the picture on which lies the patient's right or, in a sagittal one, the front.
    hip : Side or None
        The hip it shows, where it shows one and that is said.
    """

    spacing_mm: tuple[float, float]
    weighting: Contrast
    plane: SlicePlane
    toward: Side
    hip: Side | None


def describe_picture(path: Path, config: IoConfig) -> PictureDescription:
    """Collect what is said about a picture.

    Raises
    ------
    InputError
        ``picture_not_described`` with all that is missing and how to give it; ``picture_description_invalid``;
        ``sidecar_unreadable``.
    """
    json_path = path.with_name(f"{picture_stem(path)}.json")
    fields = read_fields(json_path) or {}
    spacing = _spacing(fields, json_path, config)
    weighting = _choice(fields, "weighting", Contrast, json_path, config.picture_weighting)
    plane = _choice(fields, "plane", SlicePlane, json_path, config.picture_plane)
    hip = _choice(fields, "side", Side, json_path)
    if plane is SlicePlane.SAGITTAL:
        toward = _choice(fields, "anterior", Side, json_path)
    else:
        toward = _choice(fields, "patient_right", Side, json_path, config.picture_patient_right)
    missing: dict[str, object] = {
        "the pixel spacing in mm ('pixel_spacing_mm', or --set io.picture_pixel_mm=0.7)": spacing,
        "the contrast ('weighting', or --set io.picture_weighting=T1)": weighting,
        "the slice plane ('plane', or --set io.picture_plane=coronal)": plane,
    }
    if plane is SlicePlane.SAGITTAL:
        missing["the side of the picture that is the patient's front ('anterior', left or right)"] = toward
        missing["the hip it shows ('side', left or right)"] = hip
    else:
        name = "the side of the picture that is the patient's right"
        missing[f"{name} ('patient_right', or --set io.picture_patient_right=left)"] = toward
    if spacing is None or weighting is None or plane is None or toward is None or None in missing.values():
        raise _not_described(path, json_path, missing)
    return PictureDescription(spacing, weighting, plane, toward, hip)


def _not_described(path: Path, json_path: Path, missing: Mapping[str, object]) -> InputError:
    names = "; ".join(name for name, value in missing.items() if value is None)
    return InputError(
        "picture_not_described",
        f"{path.name} is a picture and says nothing of itself. Missing, as a field of {json_path.name} or a setting: "
        f"{names}.",
    )


def _spacing(fields: Mapping[str, object], json_path: Path, config: IoConfig) -> tuple[float, float] | None:
    value = fields.get("pixel_spacing_mm")
    if value is None:
        return None if config.picture_pixel_mm is None else (config.picture_pixel_mm, config.picture_pixel_mm)
    one = number(value) if isinstance(value, (int, float)) else None
    both = numbers(value, 2) if one is None else (one, one)
    if both is None or not all(0 < length <= _LARGEST_PIXEL_MM for length in both):
        raise _invalid(json_path, "pixel_spacing_mm", "a number of mm, or two of them: between rows, between columns")
    return (both[0], both[1])


def _choice(
    fields: Mapping[str, object], name: str, kind: type[ChoiceT], json_path: Path, setting: str | None = None
) -> ChoiceT | None:
    value = fields.get(name)
    if value is None:
        return None if setting is None else kind(setting)
    allowed = {item.value.lower(): item for item in kind}
    found = allowed.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise _invalid(json_path, name, "one of " + ", ".join(item.value for item in kind))
    return found


def _invalid(json_path: Path, name: str, wanted: str) -> InputError:
    return InputError("picture_description_invalid", f"{json_path.name}: '{name}' must be {wanted}.")
