"""Left and right, from patient coordinates and nothing else."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

_NECK_AXIS = (0.76, 0.17, -0.62)


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

    def mirrored(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return LPS vectors given for a left hip, shape (..., 3), as they are for a hip of this side."""
        return np.asarray(vectors * np.array([self.lateral_x, 1.0, 1.0]))

    @property
    def usual_neck_axis(self) -> NDArray[np.float64]:
        """Unit vector, LPS, of the mean direction in which an adult's neck leaves the head, lying supine.

        Neck-shaft angle about 126 degrees (Toogood 2009, PMC2650061; Carmona, CT) and 13 degrees of anteversion, turned
        back by the usual outward rotation of the leg.
        """
        return self.mirrored(np.array(_NECK_AXIS) / np.linalg.norm(_NECK_AXIS))
