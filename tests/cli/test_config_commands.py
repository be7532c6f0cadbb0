import json

import pytest
import yaml

from tests.export.handmade import study_record
from toh_mri.cli import packaged
from toh_mri.core.config import Config
from toh_mri.core.errors import ConfigError

PRESETS = ("bilateral_large_fov", "default", "fast", "fluid_only", "unilateral_small_fov")


def test_default_yaml_is_generated_from_the_model():
    text = (packaged.packaged("configs") / "default.yaml").read_text(encoding="utf-8")
    assert text == Config().to_yaml(), "run: toh-mri config show > configs/default.yaml"


def test_these_presets_exist():
    assert {path.stem for path in packaged.packaged("configs").glob("*.yaml")} == set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_loads_says_when_to_use_it_and_holds_only_differences(name):
    path = packaged.preset(name)
    config = Config.load(path)
    assert path.read_text(encoding="utf-8").startswith("# ")
    if name != "default":
        default = Config().effective()
        for stage, values in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            assert all(config.effective()[stage][key] != default[stage][key] for key in values)


def test_a_file_goes_before_a_preset_and_an_unknown_name_lists_the_presets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fast").write_text("report: {slices_per_hip: 9}")
    assert Config.load(packaged.preset("fast")).report.slices_per_hip == 9
    with pytest.raises(ConfigError) as caught:
        packaged.preset("slow")
    assert "fluid_only" in caught.value.hint


def test_show_prints_the_values_in_force(cli):
    status, out, _ = cli("config", "show", "--config", "fast", "--set", "report.slices_per_hip=2")
    assert status == 0
    assert yaml.safe_load(out) == Config.load(packaged.preset("fast")).with_overrides(
        ["report.slices_per_hip=2"]
    ).model_dump(mode="json")


def test_validate_accepts_a_good_file_and_refuses_a_bad_one(cli, tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("report:\n  slices_per_hip: 4\n")
    bad.write_text("report:\n  slices_per_hips: 4\n")
    assert cli("config", "validate", good)[0] == 0
    status, _, err = cli("config", "validate", bad)
    assert status == 2
    assert "slices_per_hips: is no known key" in err
    assert "Hint:" in err


def test_schema_is_json_with_units(cli):
    status, out, _ = cli("config", "schema")
    assert status == 0
    assert json.loads(out)["$defs"]["ReportConfig"]["properties"]["picture_radius_mm"]["unit"] == "mm"


def test_the_configuration_in_a_record_can_be_used_again():
    record = study_record()
    assert Config.from_mapping(record.provenance.config).fingerprint() == record.provenance.config_hash
