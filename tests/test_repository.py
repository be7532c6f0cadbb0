"""Facts about the repository that are easy to forget."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import toh_mri

ROOT = Path(__file__).resolve().parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

MAXIMUM_BYTES = 2_000_000
LARGE_FILES = {  # path: why it may be larger
    "sample_data/normal_both/nifti/COR_T1.nii.gz": "both hips in one field of view, at the pixel size of such series",
}
MAXIMUM_LINES = 450
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|farm|Users|mnt)/")
REGISTRY = re.compile(r"pypi[.]org|pythonhosted[.]org|anaconda[.]org|(?:index|find)[-_](?:url|links)", re.IGNORECASE)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Return the project's files: what git tracks, and what it would add."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stdout
    paths = sorted({ROOT / name for name in listed.split("\0") if name})
    assert ROOT / "pyproject.toml" in paths
    return [path for path in paths if path.is_file()]


def texts(files: list[Path]) -> dict[str, str]:
    """Return the text of every file that is text, by its path in the project."""
    found = {}
    for path in files:
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            found[path.relative_to(ROOT).as_posix()] = content.decode("utf-8")
    return found


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY])
def test_no_file_names_a_machine_or_a_registry(files, pattern):
    hits = [f"{name}: {match.group()}" for name, text in texts(files).items() for match in pattern.finditer(text)]
    assert hits == []


@pytest.mark.parametrize("folder", ["home", "root", "tmp", "Users"])
@pytest.mark.parametrize("before", ["", "see ", "open('", "cache="])
def test_the_path_of_a_machine_is_recognised(folder, before):
    assert MACHINE_PATH.search(f"{before}/{folder}/.cache")


@pytest.mark.parametrize("text", ["https://example.org/home/page", "a/work/b", "toh_mri/tmp/x", "../root/x"])
def test_other_paths_are_not_taken_for_one(text):
    assert not MACHINE_PATH.search(text)


def test_large_files_are_listed_with_a_reason(files):
    large = {path.relative_to(ROOT).as_posix() for path in files if path.stat().st_size > MAXIMUM_BYTES}
    assert large == set(LARGE_FILES)


def test_sample_studies_stay_small(sample_data):
    assert sum(path.stat().st_size for path in sample_data.rglob("*") if path.is_file()) < 15_000_000


def test_python_files_can_be_read_in_one_sitting(files):
    lines = {name: text.count("\n") for name, text in texts(files).items() if name.endswith(".py")}
    assert lines
    assert {name: n for name, n in lines.items() if n > MAXIMUM_LINES} == {}


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(citation)
    assert str(citation["version"]) == VERSION


def test_the_changelog_knows_this_version():
    assert re.search(rf"^## \[{re.escape(VERSION)}\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)


def test_the_installed_package_is_this_version():
    assert toh_mri.__version__ == VERSION


def test_every_pre_commit_hook_is_local():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in hooks["repos"]} == {"local"}
