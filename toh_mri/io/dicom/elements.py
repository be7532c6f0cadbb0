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

_CHARACTER_SET = 0x00080005
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
        self._elements = {int(tag): element for tag, element in dataset.items()}  # quicker to ask than the data set
        self._encodings = tuple(encodings)
        declared = self.at(_CHARACTER_SET)
        if declared:
            self._encodings = _encodings(
                (declared,) if isinstance(declared, str) else tuple(cast("list[str]", declared))
            )

    def __call__(self, keyword: str) -> object:
        """Return the value of a keyword."""
        return self.at(_tag(keyword))

    def at(self, tag: int) -> object:
        """Return the value of a tag, given as group and element in one number."""
        element = self._elements.get(tag)
        if element is None:
            return None
        if isinstance(element, RawDataElement) and element.VR != "SQ" and element.value is not None:
            stored = element.value
            if len(stored) <= _LONGEST_KEPT:
                how = (element.is_implicit_VR, element.is_little_endian)
                return _value(tag, element.VR, stored, *how, self._encodings)
        try:
            value: object = self._dataset[tag].value
        except UNPARSABLE:
            return None
        return value

    def meta(self, keyword: str) -> object:
        """Return a value of the file meta information."""
        return Elements(self._dataset.file_meta)(keyword)

    def items(self, keyword: str) -> list[Elements]:
        """Return the items of a sequence."""
        return self.items_at(_tag(keyword))

    def items_at(self, tag: int) -> list[Elements]:
        """Return the items of the sequence at a tag."""
        value = self.at(tag)
        if not isinstance(value, Sequence) or isinstance(value, str):
            return []
        return [Elements(item, self._encodings) for item in value if isinstance(item, Dataset)]


@cache
def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(keyword)
    return int(tag)


def _is_utf8(stored: bytes) -> bool:
    try:
        stored.decode("utf8")
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=64)
def _encodings(declared: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(convert_encodings(list(declared)))
    except UNPARSABLE:
        return _PLAIN_TEXT


@lru_cache(maxsize=_KEPT)
def _value(
    tag: int,
    representation: str | None,
    stored: bytes,
    is_implicit: bool,  # noqa: FBT001 - the fields of pydicom's raw element, in its order
    is_little_endian: bool,  # noqa: FBT001
    encodings: tuple[str, ...],
) -> object:
    if encodings == _PLAIN_TEXT and not stored.isascii() and _is_utf8(stored):
        encodings = ("utf8",)  # the character set was not declared
    raw = RawDataElement(BaseTag(tag), representation, len(stored), stored, 0, is_implicit, is_little_endian)
    try:
        value: object = convert_raw_data_element(raw, encoding=list(encodings)).value
    except UNPARSABLE:
        return None
    return value
