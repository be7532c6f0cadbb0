"""Damaged files of every format end in a volume or in a named reason, never in anything else."""

from pathlib import Path

from tests.io.mutation_seeds import seed_studies
from tests.io.mutations import mutated
from tests.io.reader_process import ReaderProcess

COUNT = 200
SEED = 3


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_undamaged_seeds_are_volumes(tmp_path):
    """Only what can be read can be damaged."""
    with ReaderProcess() as reader:
        outcomes = {name: reader.read(write(tmp_path / name, files)) for name, files in seed_studies().items()}
    assert {name: outcome.failure for name, outcome in outcomes.items() if outcome.failure} == {}
    assert [name for name, outcome in outcomes.items() if "volume" not in outcome.kinds] == []


def test_a_mutation_is_the_same_each_time():
    for number in range(40):
        assert mutated(SEED, number) == mutated(SEED, number)
    assert mutated(SEED, 0) != mutated(SEED + 1, 0)


def test_damaged_files_end_in_a_volume_or_a_reason(tmp_path):
    failures = []
    with ReaderProcess() as reader:
        for number in range(COUNT):
            what, files = mutated(SEED, number)
            outcome = reader.read(write(tmp_path / str(number), files))
            if outcome.failure:
                failures.append(f"mutation {number} of seed {SEED}, {what}: {outcome.failure}")
    assert not failures, "\n".join(failures)
