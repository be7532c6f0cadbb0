"""Enhanced multi-frame objects give the volumes of single-frame files, whatever the vendor and the order of frames."""

import dataclasses

import numpy as np
import pytest
from pydicom.uid import LegacyConvertedEnhancedMRImageStorage
from scipy.spatial.transform import Rotation

from tests.io.writers.classic import T1, PerSlice, classic_datasets, save, write_classic
from tests.io.writers.enhanced import (
    PHILIPS,
    SIEMENS_XA,
    STYLES,
    EnhancedProtocol,
    enhanced_dataset,
    frames_of,
    legacy_converted,
    save_enhanced,
    scrambled,
)
from tests.io.writers.stored_volume import StoredVolume, coronal_affine, noise
from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.io import index_study, load_study

TINY = Config(io=IoConfig(salt="fixed", minimum_field_of_view_mm=0, minimum_coverage_mm=0))
SHAPE = (9, 20, 25)
SPIN_ECHO_T1 = EnhancedProtocol(repetition_ms=550.0, inversion_ms=None)

styles = pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)


def coronal(seed=0, shape=SHAPE):
    return StoredVolume(noise(shape, seed=seed), coronal_affine())


def turned(volume, degrees, shift=(0.0, 0.0, 0.0)):
    """Return the volume as another stack: turned about the world's origin, then moved."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    affine[:3, 3] = shift
    return dataclasses.replace(volume, affine=affine @ volume.affine)


def write(folder, frames, style=SIEMENS_XA, **options):
    return save_enhanced(folder, enhanced_dataset(frames, style, **options))


def assert_shows(series, volume, slope=1.0, intercept=0.0):
    """The series holds the volume and nothing else, each voxel where it was put."""
    image = series.image
    index = image.grid.to_index(volume.to_world(np.moveaxis(np.indices(volume.stored.shape), 0, -1)))
    nearest = np.rint(index).astype(int)
    assert image.array.size == volume.stored.size
    assert np.abs(index - nearest).max() < 1e-6
    assert nearest.min() == 0
    expected = volume.stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    np.testing.assert_allclose(image.array[tuple(np.moveaxis(nearest, -1, 0))], expected, rtol=1e-6)


def by_value(study, volume):
    """Return the one series whose samples are those of the volume."""
    middle = set(np.unique(volume.stored).tolist())
    (found,) = [series for series in study.series if set(np.unique(series.image.array).tolist()) == middle]
    return found


def assert_same(enhanced, classic):
    np.testing.assert_array_equal(enhanced.image.array, classic.image.array)
    assert enhanced.image.grid.matches(classic.image.grid, 1e-9)
    assert enhanced.name == classic.name
    assert (enhanced.role.contrast, enhanced.role.plane) == (classic.role.contrast, classic.role.plane)
    ours, theirs = enhanced.info.acquisition, classic.info.acquisition
    for name in ("repetition_time_ms", "echo_time_ms", "inversion_time_ms", "flip_angle_degree"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.body_part.startswith(theirs.body_part)  # a converted object names the joint
    assert ours.slice_thickness_mm == pytest.approx(theirs.slice_thickness_mm)


@styles
def test_enhanced_and_classic_of_one_acquisition_are_one(tmp_path, style):
    volume = coronal()
    write_classic(tmp_path / "classic", volume, RescaleSlope=2.5, RescaleIntercept=-3)
    write(tmp_path / "enhanced", scrambled(frames_of(volume, slope=2.5, intercept=-3.0)), style)
    (classic,), (enhanced,) = (load_study(tmp_path / name, TINY).series for name in ("classic", "enhanced"))
    assert_same(enhanced, classic)
    assert enhanced.info.files == 1
    assert enhanced.info.rescale == classic.info.rescale


@styles
def test_spin_echo_without_inversion_is_t1_in_both(tmp_path, style):
    volume = coronal()
    write_classic(tmp_path / "classic", volume, protocol=T1)
    write(tmp_path / "enhanced", frames_of(volume, echo_ms=11.0), style, protocol=SPIN_ECHO_T1)
    (classic,), (enhanced,) = (load_study(tmp_path / name, TINY).series for name in ("classic", "enhanced"))
    assert classic.name == "COR_T1"
    assert_same(enhanced, classic)


@pytest.mark.parametrize(
    "slopes", [None, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)], ids=["plain", "slope per slice"]
)
def test_legacy_converted_object_is_what_it_was_converted_from(tmp_path, slopes):
    """Its times are in no group of their own but in the 'unassigned converted attributes' (PS3.3 C.7.6.16.2.25)."""
    scale = {} if slopes is None else {"RescaleSlope": PerSlice(slopes), "RescaleIntercept": 0}
    classic_files = classic_datasets(coronal(), **scale)
    save(tmp_path / "classic", classic_files)
    converted = legacy_converted(classic_files)
    assert converted.SOPClassUID == LegacyConvertedEnhancedMRImageStorage
    save_enhanced(tmp_path / "legacy", converted)
    (classic,), (legacy,) = (load_study(tmp_path / name, TINY).series for name in ("classic", "legacy"))
    assert_same(legacy, classic)


def test_oblique_stack(tmp_path):
    volume = turned(coronal(), (17, -8, 23), (5, 6, 7))
    write_classic(tmp_path / "classic", volume)
    write(tmp_path / "enhanced", scrambled(frames_of(volume)), PHILIPS)
    (classic,), (enhanced,) = (load_study(tmp_path / name, TINY).series for name in ("classic", "enhanced"))
    assert_same(enhanced, classic)
    assert_shows(enhanced, volume)


@pytest.mark.parametrize("seed", range(4))
def test_frame_order_and_stack_position_mean_nothing(tmp_path, seed):
    """Position decides: InStackPositionNumber counts from either end, and wrongly after an export."""
    volume = coronal()
    numbers = np.random.default_rng(seed).permutation(SHAPE[0]) + 1
    frames = [dataclasses.replace(frame, place=int(n)) for frame, n in zip(frames_of(volume), numbers, strict=True)]
    write(tmp_path, scrambled(frames, seed), PHILIPS)
    (series,) = load_study(tmp_path, TINY).series
    assert_shows(series, volume)


@styles
def test_echoes_of_one_object_are_told_apart(tmp_path, style):
    early, late = coronal(1), coronal(2)
    frames = [*frames_of(early, echo_ms=12.0), *frames_of(late, echo_ms=80.0)]
    write(tmp_path, scrambled(frames), style)
    study = load_study(tmp_path, TINY)
    assert study.excluded == ()
    for volume, echo in ((early, 12.0), (late, 80.0)):
        series = by_value(study, volume)
        assert_shows(series, volume)
        assert series.info.acquisition.echo_time_ms == echo


@styles
def test_stacks_of_one_object_are_told_apart(tmp_path, style):
    """A coronal and an axial stack, as planned together at the console."""
    first, second = coronal(1), turned(coronal(2), (90, 0, 0))
    frames = [*frames_of(first, stack="1"), *frames_of(second, stack="2")]
    write(tmp_path, scrambled(frames), style)
    study = load_study(tmp_path, TINY)
    names = {series.name for series in study.series}
    assert names == {"COR_STIR", "AX_STIR"}
    for volume in (first, second):
        assert_shows(by_value(study, volume), volume)


def test_parallel_stacks_of_one_object_are_told_apart(tmp_path):
    """Left and right hip, each in a sagittal stack of its own: one orientation, two stacks."""
    right = turned(coronal(1), (0, 0, 90), (-95.0, 0, 0))
    left = turned(coronal(2), (0, 0, 90), (95.0, 0, 0))
    write(tmp_path, scrambled([*frames_of(right, stack="1"), *frames_of(left, stack="2")]), PHILIPS)
    study = load_study(tmp_path, TINY)
    assert len(study.series) == 2
    for volume, sign in ((right, -1), (left, 1)):
        series = by_value(study, volume)
        assert_shows(series, volume)
        assert (np.sign(series.image.grid.voxel_centres()[..., 0]) == sign).all()


def test_dynamics_of_one_object_are_told_apart(tmp_path):
    times = [coronal(seed) for seed in (1, 2, 3)]
    frames = [frame for index, volume in enumerate(times) for frame in frames_of(volume, temporal=index + 1)]
    write(tmp_path, scrambled(frames), PHILIPS)
    study = load_study(tmp_path, TINY)
    assert len(study.series) == 3
    for volume in times:
        assert_shows(by_value(study, volume), volume)


@pytest.mark.parametrize("says", ["frame type", "component"])
def test_phase_in_the_object_of_its_magnitude_is_left_out(tmp_path, says):
    """ComplexImageComponent says what a frame shows (PS3.3 C.8.13.3.1.1), FrameType does so on some systems."""
    magnitude, phase = coronal(1), coronal(2)
    image_type = ("ORIGINAL", "PRIMARY", "PHASE MAP" if says == "frame type" else "OTHER", "NONE")
    shown = {"image_type": image_type} | ({"component": "PHASE"} if says == "component" else {})
    write(tmp_path, scrambled([*frames_of(magnitude), *frames_of(phase, **shown)]), PHILIPS)
    study = load_study(tmp_path, TINY)
    (series,) = study.series
    assert_shows(series, magnitude)
    assert [info.excluded.code for info in study.excluded] == ["phase"]


def test_everything_in_one_object(tmp_path):
    """Two stacks, two echoes, magnitude and phase, in no order, each frame with measures of its own."""
    stacks = [coronal, lambda seed: turned(coronal(seed), (90, 0, 0))]
    wanted, frames = [], []
    for number, make in enumerate(stacks):
        for echo in (12.0, 80.0):
            volume = make(10 * number + int(echo))
            wanted.append((volume, echo))
            values = {"stack": str(number + 1), "echo_ms": echo}
            frames += frames_of(volume, **values)
            phase = {"image_type": ("ORIGINAL", "PRIMARY", "PHASE MAP", "NONE"), "component": "PHASE"}
            frames += frames_of(make(500 + number + int(echo)), **values, **phase)
    write(tmp_path, scrambled(frames), PHILIPS)
    study = load_study(tmp_path, TINY)
    assert len(study.series) == 4
    assert [info.excluded.code for info in study.excluded] == ["phase"] * 4
    for volume, echo in wanted:
        series = by_value(study, volume)
        assert_shows(series, volume)
        assert series.info.acquisition.echo_time_ms == echo


@styles
def test_every_frame_has_its_own_rescale(tmp_path, style):
    volume = coronal()
    slopes = 1.0 + np.arange(SHAPE[0]) / 4
    frames = [
        dataclasses.replace(frame, slope=float(slope), intercept=float(-10 * index))
        for index, (frame, slope) in enumerate(zip(frames_of(volume), slopes, strict=True))
    ]
    write(tmp_path / "enhanced", scrambled(frames), style)
    write_classic(
        tmp_path / "classic",
        volume,
        RescaleSlope=PerSlice(slopes.tolist()),
        RescaleIntercept=PerSlice((-10.0 * np.arange(SHAPE[0])).tolist()),
    )
    (classic,), (enhanced,) = (load_study(tmp_path / name, TINY).series for name in ("classic", "enhanced"))
    scaled = volume.stored * slopes[:, None, None] - 10.0 * np.arange(SHAPE[0])[:, None, None]
    np.testing.assert_allclose(enhanced.image.array, scaled, rtol=1e-6)
    assert_same(enhanced, classic)
    assert enhanced.info.rescale


def test_a_real_world_map_beside_a_rescale_is_not_applied_on_top(tmp_path):
    volume = coronal()
    both = {"slope": 2.0, "intercept": 5.0, "real_world": (2.0, 5.0)}
    write(tmp_path, frames_of(volume, **both), PHILIPS)
    (series,) = load_study(tmp_path, TINY).series
    assert_shows(series, volume, 2.0, 5.0)
    assert series.info.rescale


def test_a_missing_frame_is_named_with_its_place(tmp_path):
    volume = coronal()
    frames = frames_of(volume)
    del frames[3]
    write(tmp_path, scrambled(frames), PHILIPS)
    (source,) = index_study(tmp_path, TINY.io).sources
    assert source.info.excluded.code == "missing_slices"
    message = source.info.excluded.message
    # The normal is +y: slices lie at -20.25 + 4.4 k.
    for value in ("1 slice", "4.4 mm", "8.8 mm", "-11.45", "-2.65"):
        assert value in message


def test_a_missing_frame_is_allowed_where_asked_for_and_says_so(tmp_path):
    volume = coronal()
    frames = frames_of(volume)
    del frames[3]
    write(tmp_path, scrambled(frames), PHILIPS)
    allowing = Config(io=TINY.io.model_copy(update={"allow_missing_slices": True}))
    study = load_study(tmp_path, allowing)
    (series,) = study.series
    assert series.info.missing_slices == (3,)
    assert series.image.grid.spacing_mm[0] == pytest.approx(4.4)
    known = [0, 1, 2, 4, 5, 6, 7, 8]
    np.testing.assert_array_equal(series.image.array[known], volume.stored[known])
    assert any("missing" in warning for warning in study.warnings)


def test_uneven_frames_and_frames_twice_are_named(tmp_path):
    frames = frames_of(coronal())
    frames[2] = dataclasses.replace(frames[2], position=frames[2].position + np.array([0, 1.5, 0]))
    write(tmp_path / "uneven", frames)
    twice = [*frames_of(coronal()), *frames_of(coronal(2))[:2]]
    write(tmp_path / "twice", twice)
    codes = [index_study(tmp_path / name, TINY.io).sources[0].info.excluded.code for name in ("uneven", "twice")]
    assert codes == ["uneven_spacing", "duplicate_slices"]


@pytest.mark.parametrize("claimed", [1, 3, 12, 10**9])
def test_the_number_of_frames_lies(tmp_path, claimed):
    """Groups for 9 frames, pixels for 9 frames: with any other number, which frame is which is unknown."""
    data = enhanced_dataset(frames_of(coronal()), SIEMENS_XA)
    data.NumberOfFrames = claimed
    save_enhanced(tmp_path, data)
    write_classic(tmp_path, coronal(5), protocol=T1)
    study = load_study(tmp_path, TINY)
    assert [series.name for series in study.series] == ["COR_T1"]
    assert {info.excluded.code for info in study.excluded} <= {"pixels_unreadable", "frames_disagree", "no_geometry"}


def test_fewer_groups_than_frames(tmp_path):
    data = enhanced_dataset(frames_of(coronal()), SIEMENS_XA)
    del data.PerFrameFunctionalGroupsSequence[-1]
    save_enhanced(tmp_path / "fewer", data)
    del data.PerFrameFunctionalGroupsSequence
    save_enhanced(tmp_path / "none", data)
    for name in ("fewer", "none"):
        study = load_study(tmp_path / name, TINY)
        assert study.series == ()
        assert study.excluded[0].excluded.code


def test_many_frames_of_a_class_without_groups_are_no_single_slice(tmp_path):
    """Several frames in one classic object have one position: no volume, and no slice either."""
    volume = coronal()
    (data,) = classic_datasets(StoredVolume(volume.stored[:1], volume.affine))
    data.NumberOfFrames = len(volume.stored)
    data.PixelData = volume.stored.astype("<i2").tobytes()
    save(tmp_path, [data])
    study = load_study(tmp_path, TINY)
    assert study.series == ()
    assert study.excluded[0].excluded.code


def test_one_object_for_each_stack_of_a_series(tmp_path):
    """Several enhanced objects share a series UID: one per echo, on some systems one per slice."""
    early, late = coronal(1), coronal(2)
    objects = [
        enhanced_dataset(frames_of(early, echo_ms=12.0), SIEMENS_XA),
        enhanced_dataset(frames_of(late, echo_ms=80.0), SIEMENS_XA),
    ]
    objects[1].SeriesInstanceUID = objects[0].SeriesInstanceUID
    for number, data in enumerate(objects):
        save_enhanced(tmp_path / "echoes", data, f"{number}")
    study = load_study(tmp_path / "echoes", TINY)
    for volume in (early, late):
        assert_shows(by_value(study, volume), volume)

    for number, frame in enumerate(frames_of(early)):
        data = enhanced_dataset([frame], SIEMENS_XA)
        data.SeriesInstanceUID = objects[0].SeriesInstanceUID
        save_enhanced(tmp_path / "slices", data, f"{number}")
    (series,) = load_study(tmp_path / "slices", TINY).series
    assert_shows(series, early)


def test_dynamics_without_time_points_are_told_apart_by_the_order_of_frames(tmp_path):
    volumes = [coronal(seed) for seed in (1, 2)]
    write(tmp_path, [frame for volume in volumes for frame in frames_of(volume)], PHILIPS)
    study = load_study(tmp_path, TINY)
    assert len(study.series) == 2
    for volume in volumes:
        assert_shows(by_value(study, volume), volume)
