"""Arrays that are part of frozen values."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

ScalarT = TypeVar("ScalarT", bound=np.generic)


def read_only(array: NDArray[ScalarT]) -> NDArray[ScalarT]:
    """Return a view of an array, any shape, that cannot be written through. The samples are not copied."""
    view = array.view()
    view.setflags(write=False)
    return view
