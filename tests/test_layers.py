"""The layers that lint-imports enforces cover the whole package."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def layers():
    """Return the modules that the layers contract names, without the package's own name."""
    (contract,) = [c for c in PYPROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    return set(re.findall(r"toh_mri\.([\w.]+)", " ".join(contract["layers"])))


def test_every_room_has_its_layer():
    rooms = {path.parent.name for path in (ROOT / "toh_mri").glob("*/__init__.py")} - {"core"}
    core = {f"core.{path.stem}" for path in (ROOT / "toh_mri" / "core").iterdir() if not path.name.startswith("_")}
    assert rooms | core <= layers()
