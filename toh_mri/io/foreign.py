"""Calls into file-format libraries, which may raise anything on a broken file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from toh_mri.core.errors import InputError, TohMriError

_TALKATIVE = ("pydicom", "nibabel.global")


@contextmanager
def foreign_errors(code: str, what: str, hint: str = "") -> Iterator[None]:
    """Turn whatever a file-format library raises into one `InputError`.

    Parsers meet arbitrary bytes here, so there is no list of what they may raise. Their warnings and log
    lines are dropped: they quote paths and values of the file, which may identify a patient.

    Parameters
    ----------
    code, hint : str
        Of the error.
    what : str
        What was tried, without any value from the file.

    Raises
    ------
    InputError
        In place of any exception but this package's own.
    """
    with _silence():
        try:
            yield
        except TohMriError:
            raise
        except Exception as error:  # noqa: BLE001 -- the one door to parsers that meet arbitrary bytes
            raise InputError(code, f"{what} ({type(error).__name__}).", hint) from None


@contextmanager
def _silence() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
