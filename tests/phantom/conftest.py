"""Small cases: few pixels, thick slices, so that the whole phantom runs in seconds."""

from dataclasses import replace

import pytest

from toh_mri.geometry import Side
from toh_mri.phantom import Disease, PhantomCase, make_case
from toh_mri.phantom.protocol import SeriesPlan, default_plans


def small_plans(field_strength_t: float = 1.5) -> tuple[SeriesPlan, ...]:
    return tuple(
        replace(plan, fov_mm=128.0, matrix=128, slices=14, thickness_mm=4.0, gap_mm=0.4)
        for plan in default_plans(field_strength_t, bilateral=False)
    )


@pytest.fixture(scope="session")
def toh_left() -> PhantomCase:
    return make_case(4, Disease.TOH, side=Side.LEFT, plans=small_plans())


@pytest.fixture(scope="session")
def on_right() -> PhantomCase:
    return make_case(6, Disease.ON, side=Side.RIGHT, field_strength_t=3.0, plans=small_plans(3.0))
