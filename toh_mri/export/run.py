"""``run.json``: what may differ between two runs: dates, hosts, timings. Also marks a folder as ours."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toh_mri.core.config import Config
from toh_mri.export.files import write_json

RUN_FILE = "run.json"
_TOOL = "toh-mri"


@dataclass(frozen=True)
class StudyTiming:
    """What became of one study in a run, and how long it took."""

    study_id: str
    status: str
    kept: bool
    seconds: float


def is_ours(out: Path) -> bool:
    """Tell whether a folder holds results of this program."""
    return _read(out) is not None


def begin_run(out: Path, command: str, version: str, config: Config) -> None:
    """Append a run to ``run.json``."""
    content = _read(out) or {"tool": _TOOL, "runs": []}
    run: dict[str, object] = {
        "command": command,
        "started": _now(),
        "finished": None,
        "version": version,
        "config_hash": config.fingerprint(),
        "config": config.effective(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "host": platform.node(),
        "processors": os.cpu_count(),
        "studies": [],
    }
    content["runs"].append(run)
    write_json(out / RUN_FILE, content)


def finish_run(out: Path, timings: tuple[StudyTiming, ...]) -> None:
    """Complete the last run of ``run.json``."""
    content = _read(out)
    if content is None:
        raise ValueError("finish_run without begin_run")
    run = content["runs"][-1]
    run["finished"] = _now()
    run["studies"] = [
        {
            "study_id": timing.study_id,
            "status": timing.status,
            "kept": timing.kept,
            "seconds": round(timing.seconds, 3),
        }
        for timing in timings
    ]
    write_json(out / RUN_FILE, content)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _read(out: Path) -> dict[str, Any] | None:
    try:
        content = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return None
    return dict(content) if isinstance(content, Mapping) and content.get("tool") == _TOOL else None
