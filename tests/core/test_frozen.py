"""Frozen values stay as they are."""

import copy
import json
import pickle

import pytest
from pydantic import ValidationError

from toh_mri.core.frozen import FrozenDict, FrozenMapping, FrozenModel


class Box(FrozenModel):
    """A model with one number and one mapping."""

    size_mm: float
    parts: FrozenMapping[str, float]


def test_a_model_cannot_be_changed():
    box = Box(size_mm=1.0, parts={})
    with pytest.raises(ValidationError, match="frozen"):
        box.size_mm = 2.0


def test_a_mapping_in_a_model_cannot_be_changed_either():
    given = {"a": 1.0}
    box = Box(size_mm=1.0, parts=given)
    given["a"] = 2.0
    assert box.parts == {"a": 1.0}
    with pytest.raises(TypeError, match="frozen"):
        box.parts["a"] = 3.0


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.__setitem__("a", 2),
        lambda d: d.__delitem__("a"),
        lambda d: d.update(a=2),
        lambda d: d.setdefault("b", 2),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
        lambda d: d.__ior__({"a": 2}),
    ],
)
def test_no_way_to_change_a_frozen_dictionary(change):
    frozen = FrozenDict(a=1)
    with pytest.raises(TypeError, match="frozen"):
        change(frozen)
    assert frozen == {"a": 1}


@pytest.mark.parametrize("carry", [lambda d: pickle.loads(pickle.dumps(d)), copy.copy, copy.deepcopy])  # noqa: S301
def test_a_frozen_dictionary_crosses_a_process_boundary(carry):
    other = carry(FrozenDict(a=[1]))
    assert type(other) is FrozenDict
    assert other == {"a": [1]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_model_takes_no_number_that_is_none(value):
    with pytest.raises(ValidationError, match="finite"):
        Box(size_mm=value, parts={})
    with pytest.raises(ValidationError, match="finite"):
        Box(size_mm=1.0, parts={"a": value})


def test_a_model_refuses_unknown_keys():
    with pytest.raises(ValidationError, match="Extra inputs"):
        Box(size_mm=1.0, parts={}, colour="red")


def test_a_model_is_the_same_after_a_trip_through_json():
    box = Box(size_mm=0.1 + 0.2, parts={"b": 1.5, "a": 1e-300})
    text = box.model_dump_json()
    assert Box.model_validate_json(text) == box
    assert list(json.loads(text)["parts"]) == ["b", "a"]
