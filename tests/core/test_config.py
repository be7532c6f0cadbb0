"""The configuration: one place for defaults, nothing unknown, nothing without a unit and a source."""

import json
import pickle
import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from toh_mri.core.config import Config
from toh_mri.core.errors import ConfigError

STAGES = sorted(Config.model_fields)
FIELDS = [
    pytest.param(field, id=f"{stage}.{key}")
    for stage in STAGES
    for key, field in type(getattr(Config(), stage)).model_fields.items()
]
BOUNDS = {"Ge", "Gt", "Le", "Lt", "Interval"}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_says_what_it_does_in_which_unit_and_where_its_default_comes_from(field):
    assert field.description
    assert field.description.endswith(".")
    assert field.json_schema_extra["unit"]
    assert field.json_schema_extra["source"]


@pytest.mark.parametrize("field", FIELDS)
def test_every_number_has_a_lower_and_an_upper_bound(field):
    if field.annotation not in {int, float}:
        return
    bounds = {type(item).__name__ for item in field.metadata}
    assert bounds & {"Ge", "Gt"}
    assert bounds & {"Le", "Lt"}


def test_the_defaults_are_within_their_own_bounds():
    assert Config.model_validate(Config().model_dump(mode="json")) == Config()


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_can_be_changed_in_place(stage):
    config = Config()
    model = getattr(config, stage)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(config, stage, model)
    key = next(iter(type(model).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model, key, getattr(model, key))


def test_the_role_overrides_of_one_configuration_are_not_those_of_another():
    with pytest.raises(TypeError, match="frozen"):
        Config().io.roles["T2 HASTE"] = "T2"
    assert Config().io.roles == {}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"lesion": {}}, "lesion: is no known key"),
        ({"lesions": {"edema_treshold_sd": 3}}, "lesions.edema_treshold_sd: is no known key"),
        ({"lesions": {"edema_threshold_sd": -1}}, "lesions.edema_threshold_sd: "),
        ({"lesions": {"edema_threshold_sd": float("nan")}}, "lesions.edema_threshold_sd: "),
        ({"lesions": {"edema_threshold_sd": "much"}}, "lesions.edema_threshold_sd: "),
        ({"lesions": 3}, "lesions: "),
    ],
)
def test_what_is_unknown_or_out_of_range_is_refused_by_name(values, named):
    with pytest.raises(ConfigError) as caught:
        Config.from_mapping(values, "mine.yaml")
    assert caught.value.code == "config_invalid"
    assert f"mine.yaml: {named}" in caught.value.message


def test_all_mistakes_are_named_at_once():
    with pytest.raises(ConfigError, match=r"(?s)lesion: .*; .*sizes: "):
        Config.from_mapping({"lesion": {}, "sizes": {}})


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("lesions:\n  edema_threshold_sd: 3\n", encoding="utf-8")
    config = Config.load(path)
    assert config.lesions.edema_threshold_sd == 3.0
    expected = Config().effective()
    expected["lesions"]["edema_threshold_sd"] = 3.0
    assert config.effective() == expected


def test_an_empty_file_is_the_default(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n", encoding="utf-8")
    assert Config.load(path) == Config()


@pytest.mark.parametrize("content", [b"- a\n- b\n", b"a: [1,", b"\xff\xfe\x00", b"!!python/object:os.system {}"])
def test_a_file_that_is_no_yaml_mapping_is_unreadable(tmp_path, content):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        Config.load(path)
    assert caught.value.code == "config_unreadable"


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        Config.load(tmp_path / "none.yaml")


def test_overrides_win_over_the_configuration_and_later_over_earlier_ones():
    config = Config().with_overrides(
        ["lesions.edema_threshold_sd=3", "lesions.edema_threshold_sd=2.25", "preprocess.align=false"]
    )
    assert config.lesions.edema_threshold_sd == 2.25
    assert config.preprocess.align is False
    assert Config().lesions.edema_threshold_sd != 2.25


def test_an_override_can_add_to_a_mapping():
    config = Config().with_overrides(["io.roles={tirm: STIR}", "io.roles.t2w=T2"])
    assert config.io.roles == {"tirm": "STIR", "t2w": "T2"}


@pytest.mark.parametrize(
    "override",
    [
        "edema_threshold_sd=3",
        "lesions.edema_threshold_sd",
        "lesions.=3",
        "=3",
        "lesions.edema_threshold=3",
        "lesion.edema_threshold_sd=3",
        "lesions.edema_threshold_sd.value=3",
        "lesions.edema_threshold_sd=lots",
        "lesions.edema_threshold_sd=",
    ],
)
def test_a_wrong_override_is_refused(override):
    with pytest.raises(ConfigError) as caught:
        Config().with_overrides([override])
    assert caught.value.code == "config_invalid"


def test_the_fingerprint_follows_the_values_and_not_their_origin():
    changed = Config().with_overrides(["lesions.edema_threshold_sd=3"])
    loaded = Config.from_mapping({"lesions": {"edema_threshold_sd": 3}})
    assert changed.fingerprint() == loaded.fingerprint() != Config().fingerprint()
    assert set(Config().fingerprint()) <= set(string.hexdigits.lower())
    assert len(Config().fingerprint()) == 12


def test_the_order_of_role_overrides_does_not_change_the_fingerprint():
    one = Config().with_overrides(["io.roles={a: T1, b: T2}"])
    other = Config().with_overrides(["io.roles={b: T2, a: T1}"])
    assert one.fingerprint() == other.fingerprint()


@given(salt=st.text(alphabet=string.ascii_letters + string.digits, min_size=8))
def test_the_salt_stays_out_of_results(salt):
    config = Config.from_mapping({"io": {"salt": salt}})
    assert config.io.salt == salt
    assert "salt" not in config.effective()["io"]
    assert config.fingerprint() == Config().fingerprint()


def test_the_effective_configuration_is_plain_json():
    effective = Config().effective()
    assert json.loads(json.dumps(effective, allow_nan=False)) == effective
    assert sorted(effective) == STAGES


def test_the_yaml_text_says_everything_and_reads_back():
    config = Config().with_overrides(["io.roles={b: T2, a: T1}", "lesions.edema_threshold_sd=3.125"])
    text = config.to_yaml()
    assert Config.from_mapping(yaml.safe_load(text)) == config
    for stage in STAGES:
        for key, field in type(getattr(config, stage)).model_fields.items():
            assert f"  {key}:" in text
            assert field.description in text


def test_a_configuration_crosses_a_process_boundary():
    config = Config().with_overrides(["io.roles={b: T2}"])
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301


def test_the_smallest_head_is_smaller_than_the_largest():
    with pytest.raises(ConfigError, match="radius_min_mm"):
        Config().with_overrides(["segmentation.radius_min_mm=24", "segmentation.radius_max_mm=22"])
