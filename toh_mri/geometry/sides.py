"""Left and right, from patient coordinates and nothing else."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Side of the patient's body."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def lateral_x(self) -> float:
        """Sign of LPS x that points away from the body's midline: +1 on the left, -1 on the right."""
        return 1.0 if self is Side.LEFT else -1.0

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT
