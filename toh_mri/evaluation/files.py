"""Reading the tables and JSON files of results and truths."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from toh_mri.core.errors import InputError


def read_json(path: Path, name: str) -> dict[str, Any]:
    """Read a JSON object; an absent file is an empty one. `name` is what a message calls the file.

    Raises
    ------
    InputError
        ``json_unreadable``.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _unreadable(name) from error
    if not isinstance(content, dict):
        raise _unreadable(name)
    return content


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a table with a header, rows as dictionaries; an absent file has no rows."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [{key: value or "" for key, value in row.items() if key} for row in csv.DictReader(stream)]


def _unreadable(name: str) -> InputError:
    return InputError("json_unreadable", f"{name} is no JSON object.", "Make the file again.")
