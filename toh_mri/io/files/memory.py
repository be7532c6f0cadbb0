"""Whether there is room for an array, asked before the memory is taken.

A broken header can claim any size. Taking what is not there ends in a killed process, which no one can explain to
the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

from toh_mri.core.errors import InputError

_GIB = 2**30
_MEMBERSHIP = Path("/proc/self/cgroup")
_CGROUPS = Path("/sys/fs/cgroup")


def require_memory(needed_bytes: int, what: str) -> None:
    """Refuse what does not fit into the memory that is available now.

    Parameters
    ----------
    needed_bytes : int
    what : str
        What needs the memory, as the beginning of a sentence.

    Raises
    ------
    InputError
        ``too_large``.
    """
    available = available_bytes()
    if needed_bytes > available:
        raise InputError(
            "too_large",
            f"{what} needs {needed_bytes / _GIB:.1f} GiB of memory; {available / _GIB:.1f} GiB are available.",
            "Run fewer studies at a time or use a computer with more memory. No hip series is larger than a few "
            "GiB: beyond that the file is broken.",
            {"needed_bytes": needed_bytes, "available_bytes": available},
        )


def available_bytes() -> int:
    """Return the bytes that can be taken without swapping, within the limits of the container if there is one."""
    return max(0, min((psutil.virtual_memory().available, *_container_bytes())))


def _container_bytes() -> Iterator[int]:
    """Yield what is left below each memory limit of Linux control groups, versions 2 and 1.

    The limit of every group above the process's own holds as well. Inside a container the group's path is often that
    of the host and leads nowhere; its ancestors, up to the mounted root, are tried all the same.
    """
    try:
        lines = _MEMBERSHIP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, divided, group = rest.partition(":")
        if not divided:
            continue
        if controllers == "":
            names = ("memory.max", "memory.current", "inactive_file")
            root = _CGROUPS
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            root = _CGROUPS / "memory"
        else:
            continue
        own = root / group.strip("/")
        for folder in (own, *own.parents):
            yield from _room(folder, *names)
            if folder == root:
                break


def _room(folder: Path, limit: str, usage: str, reclaimable: str) -> Iterator[int]:
    """Yield limit minus usage of one group; file pages that the kernel can drop count as free."""
    try:
        most, used = int((folder / limit).read_text()), int((folder / usage).read_text())
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        yield most - used + int(statistics.get(reclaimable, 0))
    except (OSError, ValueError):  # no such group here, or "max": no limit
        return
