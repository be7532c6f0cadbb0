"""Errors keep what they know on their way to the user, across processes too."""

import copy
import inspect
import pickle

import pytest

from toh_mri.core import errors
from toh_mri.core.errors import InputError, TohMriError

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, TohMriError) and kind is not TohMriError
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("carry", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])  # noqa: S301
def test_an_error_crosses_a_process_boundary_whole(kind, carry):
    error = kind("missing_slices", "Three slices are missing.", "Export it again.", {"gap_mm": 8.8})
    other = carry(error)
    assert type(other) is kind
    assert (other.code, other.message, other.hint) == (error.code, error.message, error.hint)
    assert other.context == {"gap_mm": 8.8}
    assert str(other) == str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_its_stage_and_says_when_it_is_raised(kind):
    assert kind.stage != TohMriError.stage
    assert kind.__doc__ != TohMriError.__doc__


def test_the_text_holds_message_code_and_hint():
    assert str(InputError("no_files", "Nothing here.", "Look elsewhere.")) == (
        "Nothing here. [no_files] Hint: Look elsewhere."
    )
    assert str(InputError("no_files", "Nothing here.")) == "Nothing here. [no_files]"


def test_the_context_is_the_errors_own():
    context = {"gap_mm": 8.8}
    error = InputError("missing_slices", "Three slices are missing.", context=context)
    context["gap_mm"] = 0.0
    assert error.context == {"gap_mm": 8.8}
