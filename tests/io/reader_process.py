"""Reads folders in a child process, so that a decoder that crashes or hangs is seen and does not end the test.

    python -m tests.io.reader_process

reads paths of folders from its input, one a line, and answers each with a line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import TohMriError
from toh_mri.io import find_studies, index_study, read_study

ROOT = Path(__file__).resolve().parents[2]
HANG_SECONDS = 20.0
_LONGEST = 200
_GIB = 2**30
_MOST_MEMORY_BYTES = 6 * _GIB  # of addresses: what asks for more must not take the machine with it
# What may never appear in a message: the patient the writers name, in files and folders.
SECRETS = ("Mueller", "Anna", "MRN-77", "20200131")


@dataclass(frozen=True)
class Outcome:
    """What came of one folder.

    Attributes
    ----------
    kinds : tuple of str
        For each series, file or folder: ``volume``, or where it was left out and the code of the reason.
    failure : str
        What should not be: an exception of another kind, a crash, a hang, a leak. Empty where all is well.
    seconds : float
    peak_mib : float
        Most memory the child had taken until then.
    """

    kinds: tuple[str, ...]
    failure: str
    seconds: float
    peak_mib: float = 0.0


class ReaderProcess:
    """The parent's side: hands folders to a child and starts another one when it dies or hangs."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ReaderProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def read(self, folder: Path) -> Outcome:
        """Read everything below a folder."""
        child = self._running()
        started = time.perf_counter()
        child.stdin.write(f"{folder}\n".encode())
        child.stdin.flush()
        line = self._answer(child, started + HANG_SECONDS)
        seconds = time.perf_counter() - started
        if line.endswith(b"\n"):
            return Outcome(seconds=seconds, **_decoded(line))
        failure = "hang" if child.poll() is None and seconds >= HANG_SECONDS else "crash"
        self._end()
        return Outcome((), f"{failure}, exit status {child.returncode}", seconds)

    def _answer(self, child: subprocess.Popen[bytes], until: float) -> bytes:
        """Return the child's line; what there is of it if the child dies or `until` comes."""
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([child.stdout], [], [], max(0.0, until - time.perf_counter()))
            data = os.read(child.stdout.fileno(), 65536) if ready else b""
            if not data:
                break
            line += data
        return line

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", "tests.io.reader_process"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self._answer(self._child, time.perf_counter() + 120.0)  # it has imported what it needs
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child.stdin.close()
            self._child.stdout.close()
        self._child = None


def _decoded(line: bytes) -> dict[str, object]:
    answer = json.loads(line)
    return {"kinds": tuple(answer["kinds"]), "failure": answer["failure"], "peak_mib": answer["peak_mib"]}


def main() -> None:
    """Answer every line of the input: the child's side."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        kinds, failure = [], ""
        try:
            kinds = list(read_everything(Path(line.rstrip("\n"))))
        except BaseException as error:  # noqa: BLE001 -- what must not happen is looked for, panics of Rust among it
            frame = traceback.extract_tb(error.__traceback__)[-1]
            ours = [f for f in traceback.extract_tb(error.__traceback__) if "toh_mri" in f.filename]
            places = [f"{Path(f.filename).name}:{f.lineno}" for f in (*ours[-2:], frame)]
            failure = f"{type(error).__name__}: {str(error)[:_LONGEST]!r} ({' > '.join(dict.fromkeys(places))})"
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({"kinds": kinds, "failure": failure, "peak_mib": peak_mib}) + "\n")
        sys.stdout.flush()


def read_everything(folder: Path) -> Iterator[str]:
    """Index and read all there is, strictly and with missing slices allowed; yield what became of it."""
    limits = {"minimum_field_of_view_mm": 0, "minimum_coverage_mm": 0, "maximum_pixel_mm": 5}
    limits["maximum_slice_distance_mm"] = 40
    config = IoConfig(salt="fixed", allow_missing_slices=folder.name.endswith("1"), **limits)
    roots = [folder, *folder.glob("DICOMDIR")]
    for root in roots:
        try:
            studies = find_studies(root, config)
        except TohMriError as error:
            yield f"error: {error.code}"
            continue
        if not studies:
            yield from refusal(root, config)
        for index in studies:
            yield from (f"file left out: {item.reason.code}" for item in index.skipped)
            study = read_study(index, config)
            yield from (f"series left out: {info.excluded.code}" for info in study.excluded)
            for series in study.series:
                check_image(series.image)
                yield "volume"
            check_messages(folder, study)


def refusal(root: Path, config: IoConfig) -> Iterator[str]:
    """Ask for the one study where none was found: the answer must be an error."""
    try:
        index_study(root, config)
    except TohMriError as error:
        yield f"error: {error.code}"
        return
    raise AssertionError("a study was found where there is none")


def check_image(image: object) -> None:
    """A volume is float32, finite, and as large as its grid."""
    array, grid = image.array, image.grid
    if array.dtype != np.float32 or array.shape != grid.shape or not array.flags.c_contiguous:
        raise AssertionError(f"a volume of {array.dtype} {array.shape} on a grid of {grid.shape}")
    if not np.isfinite(array).all() or not np.isfinite(grid.voxel_centres()).all():
        raise AssertionError("a volume with samples or places that are not finite")


def check_messages(folder: Path, study: object) -> None:
    """No message tells who the patient is or where on this machine the files lie."""
    messages = [*study.warnings, *(info.excluded.message for info in study.excluded)]
    messages += [item.reason.message for item in study.index.skipped]
    messages += [series.info.model_dump_json() for series in study.series]
    for secret in (*SECRETS, str(folder)):
        told = [message for message in messages if secret in message]
        if told:
            raise AssertionError(f"'{secret}' is told: {told[0]}")


if __name__ == "__main__":
    main()
