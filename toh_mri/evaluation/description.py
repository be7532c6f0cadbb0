"""What ``truth.json`` may say, and the check that it says so in the right types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from toh_mri.core.errors import InputError

_Point = Annotated[list[FiniteFloat], Field(min_length=3, max_length=3)]
_Row = Annotated[list[FiniteFloat], Field(min_length=4, max_length=4)]


class _Facts(BaseModel):
    """A part of the file; what an evaluation does not read may be anything."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Hip(_Facts):
    cls: str | None = None
    head_center_lps: _Point | None = None
    head_radius_mm: FiniteFloat | None = None
    neck_axis_lps: _Point | None = None
    volumes_ml: dict[str, FiniteFloat] = {}


class _Series(_Facts):
    movement_lps: Annotated[list[_Row], Field(min_length=4, max_length=4)] | None = None
    motion_lps_mm: _Point | None = None


class _Line(_Facts):
    length: FiniteFloat | None = None


class _Joint(_Facts):
    subchondral: _Line | None = None
    crescent: _Line | None = None
    neck: _Line | None = None


class _Params(_Facts):
    joint: dict[str, _Joint] = {}


class _Description(_Facts):
    hips: dict[str, _Hip] = {}
    series: dict[str, _Series] = {}
    params: _Params = _Params()
    difficulty: str | None = None


def checked(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the content of a ``truth.json`` as it is, where every value that is read has its type.

    Parameters
    ----------
    content : mapping
    name : str
        Of the file, for the message.

    Raises
    ------
    InputError
        ``truth_value_unusable``.
    """
    try:
        _Description.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(
            "truth_value_unusable",
            f"{name}, key {key}: {first['input']!r} cannot be used ({first['msg']}).",
            "Mend the value, or leave the key out; docs/evaluate.md says what each key holds.",
        ) from error
    return content
