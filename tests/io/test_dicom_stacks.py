"""One series to its stacks, incomplete stacks, and the scaling of stored values."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.io import find_studies, index_study, load_study

CONFIG = IoConfig(salt="fixed")
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def verdicts(folder):
    found = [source.info for source in index_study(folder, CONFIG).sources]
    return sorted(((info.shape[0], info.excluded and info.excluded.code) for info in found), key=str)


def notes(folder):
    return {note for source in index_study(folder, CONFIG).sources for note in source.notes}


def numbered(values):
    return dict(enumerate(values))


@pytest.mark.parametrize("keyword", ["EchoNumbers", "AcquisitionNumber", "TriggerTime"])
def test_repeats_are_told_apart_by_a_number(tmp_path, dicom_series, coronal_positions, keyword):
    values = numbered([1] * 9 + [2] * 9)
    paths = dicom_series(tmp_path, coronal_positions(9) * 2, np.zeros((18, 80, 96), np.int16), **{keyword: values})
    assert len(paths) == 18
    assert verdicts(tmp_path) == [(9, None), (9, None)]
    assert notes(tmp_path) == {f"Its series holds several stacks, told apart by {keyword}."}


def write_instances(folder, dicom_series, positions, order):
    """Write images with these InstanceNumbers; the pixels of the second half are 1."""
    pixels = np.repeat((np.arange(len(positions)) >= len(positions) // 2).astype(np.int16), 80 * 96)
    paths = dicom_series(folder, positions, pixels.reshape(-1, 80, 96))
    for path, instance in zip(paths, order, strict=True):
        data = pydicom.dcmread(path)
        data.InstanceNumber = instance
        data.save_as(path)


def test_repeats_are_told_apart_by_instance_numbers_without_doubt(tmp_path, dicom_series, coronal_positions):
    along = [(-48.0, -20.0 + 4.4 * k, 30.0) for k in range(9)]
    write_instances(tmp_path / "one after the other", dicom_series, along * 2, range(18))
    write_instances(tmp_path / "in turns", dicom_series, along * 2, [*range(0, 18, 2), *range(1, 18, 2)])
    for name in ("one after the other", "in turns"):
        series = load_study(tmp_path / name).series
        assert {tuple(np.unique(s.image.array)) for s in series} == {(0.0,), (1.0,)}
    mixed = np.random.default_rng(0).permutation(18).tolist()
    write_instances(tmp_path / "mixed", dicom_series, along * 2, mixed)
    assert verdicts(tmp_path / "mixed") == [(18, "duplicate_slices")]


def test_an_image_more_is_no_stack(tmp_path, dicom_series, coronal_positions):
    """Nine slices and another one at the place of one of them: which of the two is right cannot be known."""
    numbers = numbered([1] * 9 + [2])
    dicom_series(tmp_path, [*coronal_positions(9), (-48.0, -20.0, 30.0)], AcquisitionNumber=numbers)
    assert verdicts(tmp_path) == [(10, "duplicate_slices")]


def test_both_hips_in_one_series(tmp_path, dicom_series):
    """Two small stacks beside each other, and two sagittal slabs with the pelvis between them."""
    beside = [(x, -20.0 + 4.4 * k, 30.0) for x in (-140.0, 44.0) for k in range(9)]
    dicom_series(tmp_path / "beside", beside)
    assert verdicts(tmp_path / "beside") == [(9, None), (9, None)]
    assert notes(tmp_path / "beside") == {"Its series holds several stacks, told apart by in-plane position."}
    centres = sorted(s.grid.centre[0] for s in index_study(tmp_path / "beside", CONFIG).sources)
    assert centres == pytest.approx([-140 + 47.5, 44 + 47.5])
    slabs = [(x + 4.0 * k, -48.0, 40.0) for x in (-120.0, 80.0) for k in range(11)]
    dicom_series(tmp_path / "slabs", slabs, orientation=SAGITTAL)
    assert verdicts(tmp_path / "slabs") == [(11, None), (11, None)]
    few_missing = [(x + 4.0 * k, -48.0, 40.0) for x in (-120.0, -60.0) for k in range(11)]
    dicom_series(tmp_path / "gap", few_missing, orientation=SAGITTAL)
    assert verdicts(tmp_path / "gap") == [(22, "missing_slices")]


def test_a_slice_off_the_line_is_refused(tmp_path, dicom_series, coronal_positions):
    positions = coronal_positions(12)
    place = positions.index((-48.0, -20.0 + 4.4 * 5, 30.0))
    positions[place] = (-46.0, -20.0 + 4.4 * 5, 30.0)
    dicom_series(tmp_path, positions)
    (source,) = index_study(tmp_path, CONFIG).sources
    assert source.info.excluded.code == "misplaced_slices"
    assert (
        "1 of its 12 slices lie off the line of the others, by up to 2 mm (at 2.00 mm" in source.info.excluded.message
    )


def test_missing_slices_keep_their_place_when_allowed(tmp_path, dicom_series):
    kept = [0, 1, 2, 4, 5, 8, 9, 10, 11]
    pixels = np.repeat(np.array(kept, np.int16) * 10, 80 * 96).reshape(-1, 80, 96)
    dicom_series(tmp_path, [(-48.0, -20.0 + 4.4 * k, 30.0) for k in kept], pixels)
    config = Config(io=IoConfig(allow_missing_slices=True))
    study = load_study(tmp_path, config)
    (series,) = study.series
    assert series.info.missing_slices == (3, 6, 7)
    assert series.image.grid.shape[0] == 12
    assert series.image.grid.spacing_mm[0] == pytest.approx(4.4)
    np.testing.assert_allclose(series.image.array[:, 0, 0], np.arange(12) * 10.0)  # filled from beside
    assert any("number 4, 7, 8 of 12" in warning for warning in study.warnings)
    assert verdicts(tmp_path) == [(9, "missing_slices")]  # not without being asked


def test_more_missing_than_there_is_refused_all_the_same(tmp_path, dicom_series):
    dicom_series(tmp_path, [(-48.0, -20.0 + 3.0 * k, 30.0) for k in (0, 1, 9, 17, 25)])
    (source,) = index_study(tmp_path, IoConfig(salt="fixed", allow_missing_slices=True)).sources
    assert source.info.excluded.code == "missing_slices"


def test_a_multiple_of_the_claimed_spacing_is_noted(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path / "half lost", coronal_positions(9, 8.8), SpacingBetweenSlices=4.4, SliceThickness=4.0)
    (note,) = notes(tmp_path / "half lost")
    assert "8.8 mm apart, 2 times the 4.4 mm" in note
    dicom_series(tmp_path / "gap written", coronal_positions(9, 4.4), SpacingBetweenSlices=0.4, SliceThickness=4.0)
    assert notes(tmp_path / "gap written") == set()


def test_one_uid_for_different_images_is_no_copy(tmp_path, dicom_series, coronal_positions):
    for path in dicom_series(tmp_path, coronal_positions(9)):
        data = pydicom.dcmread(path)
        data.SOPInstanceUID = "1.2.3.4"
        data.save_as(path)
    assert verdicts(tmp_path) == [(9, None)]


def real_world_map(slope):
    item = Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, 5.0
    return [item]


def signal(folder):
    (series,) = load_study(folder).series
    return series.image.array[:, 0, 0], series.info.rescale


def test_rescale_then_real_world_map_then_stored_values(tmp_path, dicom_series):
    along = [(-48.0, -20.0 + 4.4 * k, 30.0) for k in range(6)]
    pixels = np.repeat(np.arange(1, 7, dtype=np.int16), 80 * 96).reshape(-1, 80, 96)
    dicom_series(tmp_path / "stored", along, pixels)
    dicom_series(tmp_path / "map", along, pixels, RealWorldValueMappingSequence=real_world_map(0.5))
    both = {"RealWorldValueMappingSequence": real_world_map(0.5), "RescaleIntercept": -1}
    dicom_series(tmp_path / "both", along, pixels, RescaleSlope=numbered([2, 2, 2, 4, 4, 4]), **both)
    assert signal(tmp_path / "stored")[1] is None
    values, words = signal(tmp_path / "map")
    np.testing.assert_allclose(values, 0.5 * np.arange(1, 7) + 5)
    assert words == "real-world value map: slope 0.5, intercept 5"
    values, words = signal(tmp_path / "both")
    np.testing.assert_allclose(values, [1, 3, 5, 15, 19, 23])
    assert words == "rescale, slice by slice: slopes from 2 to 4"


def write_philips(folder, dicom_series, rescale, scale, block=0x10):
    """Write six slices whose true signal is 100 everywhere, stored with these slopes."""
    along = [(-48.0, -20.0 + 4.4 * k, 30.0) for k in range(6)]
    stored = np.rint(100 * np.array(scale)).astype(np.int16)  # signal = stored * RS / (RS * SS)
    paths = dicom_series(folder, along, np.repeat(stored, 80 * 96).reshape(-1, 80, 96), Manufacturer="Philips")
    for path, slope, private in zip(paths, rescale, scale, strict=True):
        data = pydicom.dcmread(path)
        data.RescaleSlope, data.RescaleIntercept = slope, 0
        data.add_new((0x2005, block), "LO", "Philips MR Imaging DD 001")
        data.add_new((0x2005, (block << 8) + 0x0E), "FL", private)
        data.save_as(path)


@pytest.mark.parametrize("block", [0x10, 0x13])
def test_philips_scale_slopes_make_slices_comparable(tmp_path, dicom_series, block):
    write_philips(tmp_path / "varied", dicom_series, [2, 2, 2, 3, 3, 3], [1, 2, 4, 1, 2, 4], block)
    values, words = signal(tmp_path / "varied")
    np.testing.assert_allclose(values, values[0], rtol=1e-6)
    assert words.startswith("Philips scale slope, slice by slice")
    write_philips(tmp_path / "one", dicom_series, [2] * 6, [4] * 6, block)
    assert signal(tmp_path / "one")[1] == "rescale: slope 2, intercept 0"


def test_every_copy_counts_once_and_another_study_stays_apart(tmp_path, dicom_series, coronal_positions):
    uid = generate_uid()
    dicom_series(tmp_path / "a", coronal_positions(9), SeriesInstanceUID=uid)
    dicom_series(tmp_path / "b", coronal_positions(9), SeriesInstanceUID=uid, study="1.2.4")
    assert [len(study.sources) for study in find_studies(tmp_path, CONFIG)] == [1, 1]


def test_a_chosen_file_outweighs_the_rules(tmp_path, dicom_series, coronal_positions):
    plain = {"ScanningSequence": "SE", "InversionTime": None, "RepetitionTime": 4000, "EchoTime": 80}
    first = dicom_series(tmp_path / "s", coronal_positions(9), **plain, SeriesDescription="a", SeriesNumber=1)
    dicom_series(tmp_path / "s", coronal_positions(9), SeriesNumber=2)
    names = {s.info.name: s.info.excluded and s.info.excluded.code for s in index_study(tmp_path, CONFIG).sources}
    assert names == {"COR_STIR": None, "COR_T2": None}
    chosen = index_study(tmp_path, CONFIG, fluid=first[4]).sources
    assert {s.info.name: s.info.excluded and s.info.excluded.code for s in chosen} == {
        "COR_STIR": "not_chosen",
        "COR_T2FS": None,
    }


def written(folder, dicom_series, count=20, **attributes):
    """Write a stack in which these attributes differ from slice to slice."""
    pixels = np.repeat(np.arange(1, count + 1, dtype=np.int16), 80 * 96).reshape(-1, 80, 96)
    dicom_series(folder, [(-48.0, -20.0 + 4.0 * k, 30.0) for k in range(count)], pixels, **attributes)


@pytest.mark.parametrize(
    "attributes",
    [
        {"ImageType": numbered([["DERIVED" if k % 2 else "ORIGINAL", "PRIMARY", "M"] for k in range(20)])},
        {"ImageType": numbered([["DERIVED" if k == 10 else "ORIGINAL", "PRIMARY", "M"] for k in range(20)])},
        {"EchoTime": numbered([39.949 if k % 2 else 39.951 for k in range(20)])},
        {"TemporalPositionIdentifier": numbered(range(20))},
        {"AcquisitionNumber": numbered([1 + k % 2 for k in range(20)])},
    ],
    ids=["every other derived", "one derived", "echo at the rounding", "time point counts slices", "packages"],
)
def test_what_changes_from_slice_to_slice_does_not_halve_a_stack(tmp_path, dicom_series, attributes):
    written(tmp_path, dicom_series, **attributes)
    (series,) = load_study(tmp_path).series
    assert series.image.grid.spacing_mm[0] == pytest.approx(4.0)
    np.testing.assert_array_equal(series.image.array[:, 0, 0], np.arange(1, 21))


@pytest.mark.parametrize("order", ["stack by stack", "place by place"])
@pytest.mark.parametrize("lost", [0, 9, 11])
def test_instance_numbers_are_no_help_where_an_image_is_lost(tmp_path, dicom_series, order, lost):
    """The order would still look plain, and put a slice of one stack into the other."""
    along = [(-48.0, -20.0 + 4.0 * k, 30.0) for k in range(12)]
    positions = along * 2 if order == "stack by stack" else [place for place in along for _ in range(2)]
    numbers = [*range(24)]
    del positions[lost], numbers[lost]
    write_instances(tmp_path, dicom_series, positions, numbers)
    assert verdicts(tmp_path) == [(23, "duplicate_slices")]


def test_a_picture_among_the_slices_is_left_out_alone(tmp_path, dicom_series, coronal_positions):
    uid = generate_uid()
    dicom_series(tmp_path, coronal_positions(9), SeriesInstanceUID=uid)
    other = {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}
    dicom_series(tmp_path, [(-48.0, -60.0, 30.0)], SeriesInstanceUID=uid, **other)
    assert verdicts(tmp_path) == [(1, "picture"), (9, None)]


def test_slices_scaled_by_different_rules_are_refused(tmp_path, dicom_series):
    for k in range(9):
        attributes = {"RescaleSlope": 2, "RescaleIntercept": 0} if k % 2 else {}
        dicom_series(tmp_path, [(-48.0, -20.0 + 4.0 * k, 30.0)], SeriesInstanceUID="1.2.9", **attributes)
    assert verdicts(tmp_path) == [(9, "scaling_disagrees")]


def test_positions_with_one_decimal(tmp_path, dicom_series):
    dicom_series(tmp_path, [(-48.0, round(3.34 * k, 1), 30.0) for k in range(15)])
    assert verdicts(tmp_path) == [(15, None)]


def test_series_without_a_uid_are_known_by_number_and_name(tmp_path, dicom_series, coronal_positions):
    for number, name in ((1, "localizer"), (2, "pd_tse_fs_cor")):
        attributes = {"SeriesNumber": number, "SeriesDescription": name, "ScanningSequence": "SE"}
        dicom_series(tmp_path, coronal_positions(9), **attributes, InversionTime=None, EchoTime=35)
    for path in tmp_path.iterdir():
        data = pydicom.dcmread(path)
        del data.SeriesInstanceUID
        data.save_as(path)
    assert verdicts(tmp_path) == [(9, "localizer"), (9, None)]


def test_a_long_dynamic_is_a_time_series(tmp_path, dicom_series):
    times = {k: 1 + k // 8 for k in range(8 * 20)}
    positions = [(-48.0, -20.0 + 4.0 * k, 30.0) for k in range(8)] * 20
    dicom_series(tmp_path, positions, np.zeros((160, 4, 4), np.int16), TemporalPositionIdentifier=times)
    assert {code for _, code in verdicts(tmp_path)} == {"time_series"}
