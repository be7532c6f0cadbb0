"""DICOM: order and spacing from positions, stacks told apart, everything else named with a reason."""

import dataclasses
import shutil

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    MediaStorageDirectoryStorage,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError
from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.io import find_studies, index_study, load_study, read_study

CONFIG = IoConfig(salt="fixed")


def only(folder):
    (source,) = index_study(folder, CONFIG).sources
    return source.info


def test_left_is_left_for_every_patient_position(tmp_path, dicom_series, coronal_positions):
    """PatientPosition changes nothing: position and orientation are patient coordinates already."""
    images = []
    for position in ("HFS", "HFP", "FFS", "FFP", "HFDR", "FFDL"):
        folder = tmp_path / position
        dicom_series(folder, coronal_positions(8), PatientPosition=position)
        images.append(load_study(folder).series[0].image)
    assert all(image.grid.matches(images[0].grid) for image in images)
    assert images[0].grid.to_world((0, 0, 95))[0] == pytest.approx(47.0)  # last column: the patient's left


def test_ordinary_series(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path, coronal_positions(10))
    info = only(tmp_path)
    assert (info.name, info.shape, info.files, info.excluded) == ("COR_STIR", (10, 80, 96), 10, None)
    assert info.spacing_mm == pytest.approx((4.4, 1.0, 1.0))  # distance of positions, not the 3 mm of SliceThickness
    assert info.role.contrast is Contrast.STIR
    assert info.role.plane is SlicePlane.CORONAL
    assert info.role.reasons[0] == "Inversion recovery with TI 160 ms nulls fat: STIR (+0.8)"


def test_missing_slices_are_counted_and_placed(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path / "one", coronal_positions(12, without=(5,)))
    one = only(tmp_path / "one").excluded
    assert one.code == "missing_slices"
    # The normal points to the back here, along +y: slices lie at -20 + 4.4 k.
    assert "1 slice is missing: slices lie 4.4 mm apart, but 8.8 mm between" in one.message
    assert "between -2.40 and 6.40 mm" in one.message
    dicom_series(tmp_path / "many", coronal_positions(20, without=(1, 3, 5, 7, 9, 11, 12, 15)))
    many = only(tmp_path / "many").excluded
    assert many.code == "missing_slices"
    assert "8 slices are missing" in many.message


def test_uneven_and_repeated_and_sheared(tmp_path, dicom_series, coronal_positions):
    uneven = coronal_positions(10)
    uneven[3] = (uneven[3][0], uneven[3][1] + 1.3, uneven[3][2])
    dicom_series(tmp_path / "uneven", uneven)
    assert only(tmp_path / "uneven").excluded.code == "uneven_spacing"

    dicom_series(tmp_path / "repeated", [*coronal_positions(10), (-48.0, -20.0, 30.0)])
    assert only(tmp_path / "repeated").excluded.code == "duplicate_slices"

    dicom_series(tmp_path / "sheared", [(-48.0 + 0.3 * k, -20.0 + 4.4 * k, 30.0) for k in range(10)])
    sheared = only(tmp_path / "sheared").excluded
    assert sheared.code == "sheared"
    assert "0.3 mm" in sheared.message


def test_rounded_positions_are_no_defect(tmp_path, dicom_series):
    dicom_series(tmp_path, [(-48.0, round(-20.0 + 4.4375 * k, 2), 30.0) for k in range(12)])
    assert only(tmp_path).excluded is None


def test_one_slice_stands_by_itself_and_three_do_not(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path / "one", coronal_positions(1))
    one = only(tmp_path / "one")
    assert one.excluded is None
    assert one.spacing_mm == pytest.approx((3.0, 1.0, 1.0))
    dicom_series(tmp_path / "three", coronal_positions(3))
    assert only(tmp_path / "three").excluded.code == "too_few_slices"


def test_echoes_and_orientations_of_one_series_are_told_apart(tmp_path, dicom_series, coronal_positions):
    echoes = {k: 20.0 if k < 10 else 80.0 for k in range(20)}
    dicom_series(tmp_path / "echoes", coronal_positions(10) * 2, EchoTime=echoes, ScanningSequence="SE")
    sources = index_study(tmp_path / "echoes", CONFIG).sources
    assert {(s.info.acquisition.echo_time_ms, s.info.shape[0], s.info.excluded) for s in sources} == {
        (20.0, 10, None),
        (80.0, 10, None),
    }
    uid = generate_uid()
    axial = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    dicom_series(tmp_path / "both", coronal_positions(10), SeriesInstanceUID=uid)
    flat = [(-48.0, -40.0, 4.0 * k) for k in range(9)]
    dicom_series(tmp_path / "both", flat, orientation=axial, SeriesInstanceUID=uid)
    names = [s.info.name for s in index_study(tmp_path / "both", CONFIG).sources if not s.info.excluded]
    assert names == ["AX_STIR", "COR_STIR"]


def test_localizers_are_known_by_type_by_name_and_by_layout(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path / "a", coronal_positions(9), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    dicom_series(tmp_path / "b", coronal_positions(9), SeriesDescription="3-PLANE LOC")
    uid = generate_uid()
    dicom_series(tmp_path / "c", coronal_positions(5), SeriesInstanceUID=uid)
    flat = [(-48.0, -40.0, 4.0 * k) for k in range(5)]
    dicom_series(tmp_path / "c", flat, orientation=(1, 0, 0, 0, 1, 0), SeriesInstanceUID=uid)
    for name in "abc":
        assert only(tmp_path / name).excluded.code == "localizer"


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"Modality": "CT", "SOPClassUID": CTImageStorage}, "not_mr"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "picture"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "mosaic"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, "phase"),
        ({"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}, "map"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "reformatted"),
        ({"ScanningSequence": "EP"}, "echo_planar"),
        ({"DiffusionBValue": 800.0}, "diffusion"),
        ({"BodyPartExamined": "BRAIN"}, "not_a_hip"),
        ({"InversionTime": 2200}, "no_usable_contrast"),
    ],
)
def test_what_is_no_hip_series_is_named(tmp_path, dicom_series, coronal_positions, attributes, code):
    dicom_series(tmp_path, coronal_positions(9), **attributes)
    assert only(tmp_path).excluded.code == code


def test_field_of_view_and_pixel_limits(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path / "small", coronal_positions(9), pixel_mm=(0.5, 0.5))
    assert only(tmp_path / "small").excluded.code == "field_of_view_too_small"
    dicom_series(tmp_path / "coarse", coronal_positions(9), pixel_mm=(4.0, 4.0))
    assert only(tmp_path / "coarse").excluded.code == "too_coarse"


def test_images_without_geometry(tmp_path, dicom_series, coronal_positions):
    for path in dicom_series(tmp_path, coronal_positions(9))[:2]:
        data = pydicom.dcmread(path)
        del data.ImagePositionPatient
        data.save_as(path)
    (lost,) = [s.info.excluded for s in index_study(tmp_path, CONFIG).sources if s.info.shape[0] == 2]
    assert lost.code == "no_geometry"
    assert lost.message.startswith("2 of its images have no usable position.")


def test_rescale_of_every_slice_is_applied(tmp_path, dicom_series):
    positions = [(-48.0, 4.4 * k, 30.0) for k in range(6)]
    pixels = np.full((6, 80, 96), 10, np.int16)
    slopes = {k: 1.0 + k for k in range(6)}
    dicom_series(tmp_path, positions, pixels, RescaleSlope=slopes, RescaleIntercept=5)
    study = load_study(tmp_path)
    array = study.series[0].image.array
    assert array.dtype == np.float32
    # The normal of CORONAL points to +y, so slices come in the order of k.
    np.testing.assert_array_equal(array[:, 0, 0], [15, 25, 35, 45, 55, 65])
    assert "slice by slice" in (study.series[0].info.rescale or "")


def test_unreadable_pixels_cost_one_series_only(tmp_path, dicom_series, coronal_positions):
    bad = dicom_series(tmp_path, coronal_positions(9))
    dicom_series(
        tmp_path,
        coronal_positions(9),
        InversionTime=None,
        ScanningSequence="SE",
        EchoTime=9,
        RepetitionTime=600,
    )
    bad[4].write_bytes(bad[4].read_bytes()[:-500])
    study = load_study(tmp_path)
    assert [series.name for series in study.series] == ["COR_T1"]
    (lost,) = study.excluded
    assert (lost.name, lost.excluded.code) == ("COR_STIR", "pixels_unreadable")
    assert "of 9" in lost.excluded.message


def test_objects_that_are_no_images_and_files_that_are_nothing(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path, coronal_positions(9))
    for name, sop_class in (
        ("ps", GrayscaleSoftcopyPresentationStateStorage),
        ("DICOMDIR", MediaStorageDirectoryStorage),
    ):
        data = Dataset()
        data.SOPClassUID, data.SOPInstanceUID, data.StudyInstanceUID = sop_class, generate_uid(), "1.2.3"
        data.SeriesInstanceUID, data.PatientID, data.Modality = generate_uid(), "MRN-77", "PR"
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.save_as(tmp_path / name, enforce_file_format=True)
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 300)
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "text.dcm").write_text("not DICOM at all")
    (index,) = find_studies(tmp_path, CONFIG)
    assert [(s.info.name, s.info.excluded and s.info.excluded.code) for s in index.sources] == [
        ("COR_STIR", None),
        ("OTHER", "not_an_image"),
    ]
    codes = {skipped.path.name: skipped.reason.code for skipped in index.skipped}
    assert codes["DICOMDIR"] == "dicomdir_unreadable"  # it lists nothing
    assert codes["empty.dcm"] == "empty_file"
    assert codes["text.dcm"] == "not_an_image"
    assert codes["broken.dcm"] == "unreadable_dicom"


def test_copies_of_a_series_are_used_once(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path / "a", coronal_positions(9))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (index,) = find_studies(tmp_path, CONFIG)
    assert len(index.sources) == 1
    assert index.sources[0].info.excluded is None
    assert {skipped.reason.code for skipped in index.skipped} == {"copy"}


def test_enhanced_multi_frame_gives_the_volume_of_single_frames(tmp_path, dicom_series):
    positions = [(-48.0, 4.4 * k, 30.0) for k in (3, 0, 5, 1, 4, 2)]
    pixels = np.random.default_rng(3).integers(0, 900, (6, 80, 96)).astype(np.int16)
    dicom_series(tmp_path / "single", positions, pixels, RescaleSlope=2.5, RescaleIntercept=1)
    enhanced = enhanced_from(sorted((tmp_path / "single").iterdir()))
    (tmp_path / "multi").mkdir()
    enhanced.save_as(tmp_path / "multi" / "x", enforce_file_format=True)
    single, multi = load_study(tmp_path / "single").series[0], load_study(tmp_path / "multi").series[0]
    np.testing.assert_array_equal(single.image.array, multi.image.array)
    assert single.image.grid.matches(multi.image.grid, 1e-9)
    assert multi.role.contrast is Contrast.STIR
    assert multi.info.files == 1


ENHANCED_KEEPS = (
    *("StudyInstanceUID", "PatientID", "Modality", "BodyPartExamined", "Rows", "Columns", "BitsAllocated"),
    *("BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation"),
)


def enhanced_from(paths):
    """Return an enhanced multi-frame object with the frames of single-frame files, in the order given."""
    frames = [pydicom.dcmread(path) for path in paths]
    data = Dataset()
    for keyword in ENHANCED_KEEPS:
        setattr(data, keyword, frames[0].get(keyword))
    data.SOPClassUID, data.SOPInstanceUID, data.SeriesInstanceUID = (
        EnhancedMRImageStorage,
        generate_uid(),
        generate_uid(),
    )
    data.NumberOfFrames = len(frames)
    data.EchoPulseSequence = "SPIN"
    shared = Dataset()
    shared.MRTimingAndRelatedParametersSequence = [item(RepetitionTime=4000.0)]
    shared.MRModifierSequence = [item(InversionRecovery="YES", InversionTimes=[160.0])]
    shared.MREchoSequence = [item(EffectiveEchoTime=40.0)]
    shared.PlaneOrientationSequence = [item(ImageOrientationPatient=frames[0].ImageOrientationPatient)]
    shared.PixelMeasuresSequence = [item(PixelSpacing=frames[0].PixelSpacing, SliceThickness=3.0)]
    data.SharedFunctionalGroupsSequence = [shared]
    data.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=frame.ImagePositionPatient)],
            PixelValueTransformationSequence=[
                item(RescaleSlope=frame.RescaleSlope, RescaleIntercept=frame.RescaleIntercept)
            ],
        )
        for frame in frames
    ]
    data.PixelData = b"".join(frame.PixelData for frame in frames)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return data


def item(**values):
    data = Dataset()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data


def test_no_identifier_or_free_text_reaches_what_is_written(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path, coronal_positions(9), Manufacturer="Dr. Mueller", BodyPartExamined="MUELLER ANNA")
    study = read_study(index_study(tmp_path, CONFIG), CONFIG)
    written = " ".join([study.study_id, study.patient_id, *study.warnings])
    written += " ".join(series.info.model_dump_json() for series in study.series) + repr(study.index.identity)
    for secret in ("mueller", "anna", "mrn-77", "2020", "1.2.3"):
        assert secret not in written.lower()
    assert study.study_date is None


def test_mutated_files_end_in_a_volume_or_a_reason(tmp_path, dicom_series, coronal_positions):
    paths = dicom_series(tmp_path / "good", coronal_positions(6))
    whole = [path.read_bytes() for path in paths]
    rng = np.random.default_rng(5)
    for trial in range(60):
        folder = tmp_path / f"bad{trial}"
        folder.mkdir()
        for number, content in enumerate(whole):
            damaged = bytearray(content)
            if number == trial % 6:
                for place in rng.integers(132, 1100, 4):
                    damaged[place] = rng.integers(256)
                damaged = damaged[: rng.integers(200, len(content))] if trial % 3 == 0 else damaged
            (folder / str(number)).write_bytes(damaged)
        try:
            studies = find_studies(folder, CONFIG)
            for index in studies:
                read_study(index, CONFIG)
        except InputError as error:
            assert error.code  # noqa: PT017 -- a named error is as good as a volume


def test_index_and_study_are_the_same_each_time(tmp_path, dicom_series, coronal_positions):
    dicom_series(tmp_path, coronal_positions(9))
    first, second = index_study(tmp_path, CONFIG), index_study(tmp_path, CONFIG)
    assert [s.info for s in first.sources] == [s.info for s in second.sources]
    assert [s.paths for s in first.sources] == [s.paths for s in second.sources]
    assert read_study(first, CONFIG).content_hash == read_study(second, CONFIG).content_hash
    assert dataclasses.replace(first, sources=()).identity == second.identity
