"""The one place where kernels are compiled, and with which options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile a function of arrays and numbers with Numba, on its first call.

    Options, the same for every kernel: no Python objects; the interpreter lock is released; division by
    zero gives infinity or NaN as in NumPy; ``fastmath`` is off, so that NaN and the order of sums mean what
    they say. The compiled code is cached beside the module or, where that is not writable, in the user's
    cache folder; where neither is, the kernel still runs and is compiled anew by every process.

    Parameters
    ----------
    function : callable
        Uses only what Numba's nopython mode knows.

    Returns
    -------
    callable
        Called like `function`. With ``NUMBA_DISABLE_JIT=1`` it is `function` itself.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": False}
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:  # Numba found no folder it may write its cache to
        compiled = njit(cache=False, **options)(function)
    return compiled  # type: ignore[no-any-return]
