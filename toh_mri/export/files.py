"""Files and folders that are whole or not there: written beside their place, then renamed into it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from toh_mri.core.errors import ExportError


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write UTF-8 text in one step; `private` files are readable by their owner only.

    Raises
    ------
    ExportError
        ``not_writable``.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        part.replace(path)
    except OSError as error:
        raise not_writable(path, error) from error


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Write a JSON file in one step, keys in the order given."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def not_writable(path: Path, error: OSError) -> ExportError:
    """Describe a failed write without the user's path, which may name a patient."""
    return ExportError(
        "not_writable",
        f"{path.name} could not be written: {error.strerror or type(error).__name__}.",
        "Check that the output folder can be written to and that its disk has space left.",
    )


@contextmanager
def replaced_folder(final: Path, ours: Collection[str]) -> Iterator[Path]:
    """Give an empty folder to fill; it takes the place of `final` when the block ends without an error.

    Files in `final` that this program does not write are carried over.

    Parameters
    ----------
    final : Path
        The folder to replace or make.
    ours : collection of str
        Relative POSIX paths of every file this program may write there.
    """
    fresh, old = final.with_name(f".{final.name}.part"), final.with_name(f".{final.name}.old")
    _mend(final, fresh, old)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        _carry_over(final, fresh, ours)
    except BaseException:
        shutil.rmtree(fresh)
        raise
    if final.exists():
        final.rename(old)
    fresh.rename(final)
    if old.exists():
        shutil.rmtree(old)


def _mend(final: Path, fresh: Path, old: Path) -> None:
    """Undo what an interrupted replacement left behind."""
    if fresh.exists():
        shutil.rmtree(fresh)
    if old.exists() and not final.exists():
        old.rename(final)
    elif old.exists():
        shutil.rmtree(old)


def _carry_over(final: Path, fresh: Path, ours: Collection[str]) -> None:
    for path in sorted(final.rglob("*")):
        relative = path.relative_to(final)
        if path.is_file() and relative.as_posix() not in ours:
            (fresh / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, fresh / relative)
