"""How a configuration field states its unit, its range and where its default comes from."""

from __future__ import annotations

from typing import Any

from pydantic import Field


def setting(default: object, *, unit: str, source: str, about: str, **bounds: Any) -> Any:  # noqa: ANN401 - as pydantic.Field
    """Declare a configuration field.

    Parameters
    ----------
    default : object
        The default; nowhere else is one kept.
    unit : str
        ``mm``, ``degree``, ``fraction``, ``count`` ..., or ``-`` where there is none.
    source : str
        Where the default comes from: a publication, a measurement, a convention.
    about : str
        One sentence that says what the value does.
    **bounds
        ``ge``, ``gt``, ``le``, ``lt``, ``min_length``: the permitted range.
    """
    return Field(default, description=about, json_schema_extra={"unit": unit, "source": source}, **bounds)
