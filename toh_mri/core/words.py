"""The user's own words (paths, series descriptions, names), made fit for a screen or a UTF-8 file."""

from __future__ import annotations

import unicodedata

_UNFIT = frozenset({"Cc", "Cs"})  # control characters; surrogates, which stand for bytes of a name that are no UTF-8


def printable(text: str) -> str:
    r"""Return text with control characters and undecodable bytes as codes such as ``\n``, ``\x1b`` or ``\udce9``."""
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character) in _UNFIT else character
        for character in text
    )
