"""The errors of toh-mri: what went wrong, where, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from toh_mri.core.words import printable


class TohMriError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    code : str
        Short, stable, lower-case reason code, as it appears in ``hips.csv`` and ``failures.csv``.
    message : str
        What went wrong and where, for a person. Never holds patient identifiers.
    hint : str
        What the user can do about it. Empty where nothing can be done.
    context : mapping, optional
        Values that explain the message (positions, sizes), written to ``failures.csv``.
    """

    stage: ClassVar[str] = "general"

    def __init__(self, code: str, message: str, hint: str = "", context: Mapping[str, object] | None = None) -> None:
        super().__init__(printable(message))
        self.code = code
        self.message = printable(message)  # it may quote the name of a file, which may hold any bytes
        self.hint = printable(hint)
        self.context = dict(context or {})

    def __reduce__(self) -> tuple[object, ...]:
        """Let the error cross a process boundary with its code, hint and context."""
        return (type(self), (self.code, self.message, self.hint, self.context))

    def __str__(self) -> str:
        text = f"{self.message} [{self.code}]"
        return f"{text} Hint: {self.hint}" if self.hint else text


class InputError(TohMriError):
    """A file or folder cannot be read, or is not what it claims to be."""

    stage = "io"


class GeometryError(TohMriError):
    """Positions, spacings or orientations are missing or contradict each other."""

    stage = "geometry"


class SeriesSelectionError(TohMriError):
    """No series of the study can play a part that is needed."""

    stage = "io"


class AlignmentError(TohMriError):
    """Two series of one study could not be brought together."""

    stage = "preprocess"


class SegmentationError(TohMriError):
    """No hip was found, or what was found is not plausible."""

    stage = "segmentation"


class QuantificationError(TohMriError):
    """Edema or lines could not be measured."""

    stage = "lesions"


class ConfigError(TohMriError):
    """A configuration file or option is wrong."""

    stage = "config"


class ExportError(TohMriError):
    """A result could not be written."""

    stage = "export"
