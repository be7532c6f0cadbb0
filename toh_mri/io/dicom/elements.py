"""Values of a DICOM data set by keyword.

The files of a series repeat nearly all their values, and turning stored bytes into values is what costs time: each
different encoding is turned once, and looked up afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import cast

from pydicom import Dataset
from pydicom.charset import convert_encodings
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag

from toh_mri.io.files.foreign import UNPARSABLE

_CHARACTER_SET = BaseTag(0x00080005)
_PLAIN_TEXT = ("iso8859",)
_LONGEST_KEPT = 512  # bytes; longer values are rare and are turned each time
_KEPT = 2**16


class Elements:
    """Look-up of keywords in a data set; what is missing, empty or unparsable is None.

    Parameters
    ----------
    dataset : pydicom.Dataset
    encodings : sequence of str, optional
        Character sets of the data set that holds this one as an item.
    """

    def __init__(self, dataset: Dataset, encodings: Sequence[str] = _PLAIN_TEXT) -> None:
        self._dataset = dataset
        self._encodings = tuple(encodings)
        declared = self.at(_CHARACTER_SET)
        if declared:
            self._encodings = _encodings(
                (declared,) if isinstance(declared, str) else tuple(cast("list[str]", declared))
            )

    def __call__(self, keyword: str) -> object:
        """Return the value of a keyword."""
        return self.at(_tag(keyword))

    def at(self, tag: BaseTag) -> object:
        """Return the value of a tag."""
        try:
            element = self._dataset.get_item(tag)
            if element is None:
                return None
            if not isinstance(element, RawDataElement):
                return element.value
            if not isinstance(element.value, bytes) or len(element.value) > _LONGEST_KEPT or element.VR == "SQ":
                return self._dataset[tag].value
        except UNPARSABLE:
            return None
        return _value(
            element.tag, element.VR, element.value, element.is_implicit_VR, element.is_little_endian, self._encodings
        )

    def meta(self, keyword: str) -> object:
        """Return a value of the file meta information."""
        value: object = self._dataset.file_meta.get(keyword)
        return value

    def items(self, keyword: str) -> list[Elements]:
        """Return the items of a sequence."""
        return self.items_at(_tag(keyword))

    def items_at(self, tag: BaseTag) -> list[Elements]:
        """Return the items of the sequence at a tag."""
        value = self.at(tag)
        if not isinstance(value, Sequence) or isinstance(value, str):
            return []
        return [Elements(item, self._encodings) for item in value if isinstance(item, Dataset)]


@cache
def _tag(keyword: str) -> BaseTag:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(keyword)
    return BaseTag(tag)


@lru_cache(maxsize=64)
def _encodings(declared: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(convert_encodings(list(declared)))
    except UNPARSABLE:
        return _PLAIN_TEXT


@lru_cache(maxsize=_KEPT)
def _value(
    tag: BaseTag,
    representation: str | None,
    stored: bytes,
    is_implicit: bool,  # noqa: FBT001 - the fields of pydicom's raw element, in its order
    is_little_endian: bool,  # noqa: FBT001
    encodings: tuple[str, ...],
) -> object:
    raw = RawDataElement(tag, representation, len(stored), stored, 0, is_implicit, is_little_endian)
    try:
        value: object = convert_raw_data_element(raw, encoding=list(encodings)).value
    except UNPARSABLE:
        return None
    return value
