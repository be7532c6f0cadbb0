"""Print the code block of a Markdown file that follows a marker such as ``<!-- command:demo -->``."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def block(text: str, name: str) -> str:
    """Return what stands in the fenced block below the marker `name`, without the fences.

    Raises
    ------
    ValueError
        If there is not exactly one such block.
    """
    found = re.findall(rf"^<!-- {re.escape(name)} -->\n+```\w*\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)
    if len(found) != 1:
        raise ValueError(f"{len(found)} blocks are marked {name!r}, not one")
    return str(found[0])


if __name__ == "__main__":
    file, marker = sys.argv[1:]
    print(block(Path(file).read_text(encoding="utf-8"), marker))
