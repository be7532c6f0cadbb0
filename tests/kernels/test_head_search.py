import numpy as np
import pytest

from tests.reference import naive_head_search
from toh_mri.kernels.head_search import score_centres

N, SAMPLES = 33, 14
HALF_WIDTH, GAP_LOW, GAP_HIGH = 1, 2, 4
MIDDLE = N // 2
RAYS = 96


def flat(k, j, i):
    return (np.asarray(k) * N + j) * N + i


def rays(sectors):
    """Rays in all directions, samples half a voxel off whole radii; sectors are wedges of either half of a ball."""
    step = np.arange(RAYS) + 0.5
    z, angle = 1 - 2 * step / RAYS, np.pi * (1 + 5**0.5) * step
    across = np.sqrt(1 - z * z)
    directions = np.column_stack([z, across * np.cos(angle), across * np.sin(angle)])
    index = np.rint(directions[:, None, :] * (np.arange(SAMPLES) + 0.5)[None, :, None]).astype(int)
    halves = 2 if sectors % 2 == 0 else 1
    wedge = (angle % (2 * np.pi) * (sectors // halves) / (2 * np.pi)).astype(np.int32)
    sector = halves * wedge + (z < 0) * (halves - 1)
    order = np.argsort(sector, kind="stable")
    start = np.searchsorted(sector[order], np.arange(sectors + 1))
    return flat(*np.moveaxis(index[order], -1, 0)).astype(np.int32), start


def search(volume, centres, sectors=6, *, either, tolerance=1, cap=1.5, kernel=score_centres):
    offsets, start = rays(sectors)
    weight = np.linspace(1, 2, sectors).astype(np.float32)
    share = np.linspace(0.15, 0.4, sectors).astype(np.float32)
    settings = (HALF_WIDTH, GAP_LOW, GAP_HIGH, tolerance, cap, either)
    flat_volume = np.ascontiguousarray(volume, np.float32).ravel()
    return kernel(flat_volume, np.asarray(centres, np.int64), offsets, start, weight / weight.sum(), share, *settings)


def noise(holes):
    rng = np.random.default_rng(5)
    volume = rng.normal(0, 2, (N, N, N))
    if holes:
        volume[rng.random(volume.shape) < 0.4] = np.nan
        volume[:, :, : MIDDLE - 3] = np.nan
    return volume


CENTRES = flat(np.array([16, 17, 15]), 16, np.array([16, 15, 17]))
PICTURES = {
    "noise": noise(holes=False),
    "noise with holes": noise(holes=True),
    "constant": np.full((N, N, N), 3.0),
    "nothing": np.full((N, N, N), np.nan),
}


@pytest.mark.parametrize("either", [True, False])
@pytest.mark.parametrize("sectors", [1, 6])
@pytest.mark.parametrize("picture", PICTURES)
def test_agrees_with_the_naive_twin(picture, sectors, either):
    found = search(PICTURES[picture], CENTRES, sectors, either=either)
    twin = search(PICTURES[picture], CENTRES, sectors, either=either, kernel=naive_head_search.score_centres)
    for ours, theirs in zip(found, twin, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)
    assert (found[0].max() > 0) == picture.startswith("noise")


def ball(radius, centre=(MIDDLE,) * 3, wall=3.0):
    """A bright ball in a dark joint, `wall` voxels wide, in a bright surround; borders two voxels wide."""
    distance = np.linalg.norm(np.moveaxis(np.indices((N, N, N)), 0, -1) - np.array(centre), axis=-1)
    return 1 - np.clip(distance - radius + 1, 0, 2) + np.clip(distance - radius - wall + 1, 0, 2)


@pytest.mark.parametrize("radius", [4, 6])
@pytest.mark.parametrize("centre", [(16, 16, 16), (17, 15, 16)])
def test_finds_a_ball_where_it_is_and_as_large_as_it_is(radius, centre):
    around = [(k, j, i) for k in range(14, 19) for j in range(14, 19) for i in range(14, 19)]
    places = [flat(*c) for c in around]
    score, coverage = search(ball(radius, centre), places, sectors=12, either=False, tolerance=0, cap=2.0)
    best, r = np.unravel_index(np.argmax(score), score.shape)
    assert around[best] == centre
    assert HALF_WIDTH + 1 + r == radius
    assert coverage[best, r] == pytest.approx(1)


@pytest.mark.parametrize("tolerance", [0, 1, 2])
def test_a_sector_may_lie_off_the_sphere_by_the_tolerance(tolerance):
    score, _ = search(ball(5), [flat(MIDDLE, MIDDLE, MIDDLE)], either=False, tolerance=tolerance, cap=2.0)
    radius = HALF_WIDTH + 1 + tolerance + np.arange(score.shape[1])
    as_good = score[0] > score.max() - 1e-6
    np.testing.assert_array_equal(as_good, np.abs(radius - 5) <= tolerance)


def test_a_negative_is_found_only_where_either_polarity_is_allowed():
    here = [flat(MIDDLE, MIDDLE, MIDDLE)]
    picture = ball(5)
    np.testing.assert_allclose(search(picture, here, either=True), search(-picture, here, either=True), atol=1e-6)
    r = 5 - (HALF_WIDTH + 2)
    assert search(-picture, here, either=False)[0][0, r] < 0.5 * search(picture, here, either=False)[0][0, r]


def test_half_a_ball_covers_half_the_sectors():
    picture = ball(5)
    picture[:, :, :MIDDLE] = np.nan
    score, coverage = search(picture, [flat(MIDDLE, MIDDLE, MIDDLE)], sectors=8, either=False)
    whole, _ = search(ball(5), [flat(MIDDLE, MIDDLE, MIDDLE)], sectors=8, either=False)
    r = 5 - (HALF_WIDTH + 2)
    assert coverage[0, r] == pytest.approx(0.5, abs=0.15)
    assert 0 < score[0, r] < whole[0, r]
    assert np.isfinite(score).all()
