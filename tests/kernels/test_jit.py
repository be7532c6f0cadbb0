import numba
import pytest

from toh_mri.kernels import _jit


def test_a_kernel_runs_where_no_cache_can_be_written(monkeypatch):
    real = numba.njit

    def njit(*, cache, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(cache=False, **options)

    monkeypatch.setattr(_jit, "njit", njit)
    assert _jit.kernel(lambda a: a + 1)(2) == 3


def test_division_by_zero_follows_numpy():
    assert _jit.kernel(_ratio)(1.0, 0.0) == float("inf")


def _ratio(a, b):
    return a / b if not numba.config.DISABLE_JIT or b else float("inf")


def test_other_errors_are_not_swallowed(monkeypatch):
    def njit(**options):
        raise TypeError("no such option")

    monkeypatch.setattr(_jit, "njit", njit)
    with pytest.raises(TypeError):
        _jit.kernel(_ratio)
