"""Room is asked for before memory is taken, within the limits of the machine and of its containers."""

from collections import namedtuple

import pytest

from toh_mri.core.errors import InputError
from toh_mri.io.files import memory
from toh_mri.io.files.memory import available_bytes, require_memory

GIB = 2**30


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with 8 GiB available and no control groups."""
    state = namedtuple("State", "available")
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: state(8 * GIB))
    monkeypatch.setattr(memory, "_MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path / "groups")
    return tmp_path


def group(machine, path: str, limit: str, used: int, statistics: str, version: int = 2) -> None:
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    folder = machine / "groups" / path
    folder.mkdir(parents=True)
    for name, value in zip((*names, "memory.stat"), (limit, used, statistics), strict=True):
        (folder / name).write_text(f"{value}\n")


def test_what_fits_passes_and_what_does_not_is_named(machine):
    require_memory(8 * GIB, "The series")
    with pytest.raises(InputError) as caught:
        require_memory(12 * GIB, "The series")
    assert caught.value.code == "too_large"
    assert caught.value.message == "The series needs 12.0 GiB of memory; 8.0 GiB are available."
    assert caught.value.hint
    assert caught.value.context == {"needed_bytes": 12 * GIB, "available_bytes": 8 * GIB}


def test_absurd_sizes_are_refused(machine):
    with pytest.raises(InputError, match="too_large"):
        require_memory(2**80, "The header")


def test_the_limit_of_a_container_counts(machine):
    (machine / "membership").write_text("0::/job/step\n")
    group(machine, "job", str(4 * GIB), 3 * GIB, f"anon 5\ninactive_file {GIB // 2}")
    group(machine, "job/step", "max", GIB, "inactive_file 0")
    assert available_bytes() == 3 * GIB // 2


def test_the_mounted_group_counts_where_the_own_path_leads_nowhere(machine):
    (machine / "membership").write_text("5:cpu:/\n4:memory:/docker/abc\n0::/elsewhere\n")
    group(machine, "memory", str(2 * GIB), GIB, f"inactive_file 7\ntotal_inactive_file {GIB // 4}", version=1)
    assert available_bytes() == 5 * GIB // 4


def test_a_container_beyond_its_limit_has_nothing_left(machine):
    (machine / "membership").write_text("0::/\n")
    group(machine, ".", str(GIB), 2 * GIB, "anon 1")
    assert available_bytes() == 0


@pytest.mark.parametrize("content", ["", "nonsense", "0::", "a:b", "1:memory:/x\n2:", "0::/../..\n"])
def test_an_unusual_system_is_no_obstacle(machine, content):
    (machine / "membership").write_text(content)
    assert available_bytes() == 8 * GIB


def test_a_system_without_control_groups(machine):
    assert available_bytes() == 8 * GIB


def test_this_machine_has_some_memory():
    assert available_bytes() > 0
