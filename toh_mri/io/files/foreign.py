"""Calls into file-format libraries, which may raise anything on a broken file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from toh_mri.core.errors import InputError, TohMriError

# What parsers raise on a value that is not what its type says.
UNPARSABLE = (ValueError, TypeError, AttributeError, NotImplementedError, LookupError, ArithmeticError)

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
    with silence(), translated_errors(code, what, hint):
        yield


@contextmanager
def translated_errors(code: str, what: str, hint: str = "") -> Iterator[None]:
    """Do what `foreign_errors` does, but for the silence: for loops that are wrapped in it already."""
    try:
        yield
    except (TohMriError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 -- the door to parsers; a panic of one in Rust is no Exception
        raise InputError(code, f"{what} ({type(error).__name__}).", hint) from None


@contextmanager
def silence() -> Iterator[None]:
    """Drop warnings and log lines of file-format libraries.

    Costly beside the reading of one header, so whoever reads many wraps the whole loop in it.
    """
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
