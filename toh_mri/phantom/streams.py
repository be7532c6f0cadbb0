"""Random streams: one per part of the phantom, so that adding a part does not reshuffle the others."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, part: str) -> np.random.Generator:
    """Return the generator of one named part of the case drawn from `seed`.

    Parameters
    ----------
    seed : int
        Seed of the case, >= 0.
    part : str
        Name of the part, for example ``femur/left``. Every name has a stream of its own.
    """
    return np.random.default_rng([seed, crc32(part.encode())])
