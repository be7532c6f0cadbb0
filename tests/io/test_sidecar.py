"""JSON sidecars, as converters of several ages write them."""

import json

import pytest

from toh_mri.core.study import Acquisition
from toh_mri.io.volumes.sidecar import read_sidecar


def sidecar(folder, content):
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    path = folder / "a.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_sidecar(folder / "a.nii.gz")


def test_no_sidecar_says_nothing(tmp_path):
    assert read_sidecar(tmp_path / "a.nii.gz") == (Acquisition(), "", ())


def test_what_the_usual_converter_writes(tmp_path):
    found = sidecar(
        tmp_path,
        {
            "Modality": "MR",
            "MagneticFieldStrength": 1.5,
            "Manufacturer": "Siemens",
            "PatientName": "Mueller^Anna",
            "BodyPart": "HIP",
            "ProtocolName": "t2_tirm_cor",
            "PulseSequenceName": "*tir2d1_11",
            "ScanningSequence": "SE\\IR",
            "SequenceVariant": "SK\\SP\\OSP",
            "ScanOptions": "PFP\\FS",
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
            "MRAcquisitionType": "2D",
            "SliceThickness": 3.5,
            "EchoTime": 0.038,
            "RepetitionTime": 4.2,
            "InversionTime": 0.16,
            "FlipAngle": 150,
            "EchoTrainLength": 11,
            "ContrastBolusIngredient": "GADOLINIUM",
        },
    )
    assert found.acquisition == Acquisition(
        modality="MR",
        manufacturer="Siemens",
        field_strength_t=1.5,
        repetition_time_ms=4200.0,
        echo_time_ms=38.0,
        inversion_time_ms=160.0,
        flip_angle_degree=150.0,
        echo_train_length=11,
        scanning_sequence=("SE", "IR"),
        sequence_variant=("SK", "SP", "OSP"),
        scan_options=("PFP", "FS"),
        image_type=("ORIGINAL", "PRIMARY", "M", "ND"),
        acquisition_type="2D",
        contrast_agent=True,
        slice_thickness_mm=3.5,
        body_part="HIP",
    )
    assert found.words == "t2_tirm_cor *tir2d1_11"
    assert found.problems == ()


def test_older_converters_wrote_underscores(tmp_path):
    found = sidecar(
        tmp_path,
        {"ScanningSequence": "SE_IR", "SequenceVariant": "SK_SP", "ScanOptions": "PFP_FS", "BodyPartExamined": "HIP"},
    ).acquisition
    assert (found.scanning_sequence, found.sequence_variant) == (("SE", "IR"), ("SK", "SP"))
    assert found.scan_options == ("PFP", "FS")
    assert found.body_part == "HIP"
    vendor = sidecar(tmp_path, {"ScanOptions": "FAT_SAT"}).acquisition
    assert vendor.scan_options == ("FAT_SAT",)


def test_the_longer_image_type_of_enhanced_objects_is_added(tmp_path):
    found = sidecar(
        tmp_path,
        {"ImageType": ["DERIVED", "PRIMARY", "M", "NONE"], "ImageTypeText": ["ORIGINAL", "PRIMARY", "DIXON", "WATER"]},
    ).acquisition
    assert found.image_type == ("DERIVED", "PRIMARY", "M", "NONE", "ORIGINAL", "DIXON", "WATER")


@pytest.mark.parametrize(
    "times", [{"RepetitionTime": 4200, "EchoTime": 38, "InversionTime": 160}, {"InversionTime": 160}, {"EchoTime": 38}]
)
def test_milliseconds_are_known_by_their_size(tmp_path, times):
    found = sidecar(tmp_path, times).acquisition
    assert found.inversion_time_ms == times.get("InversionTime")
    assert found.echo_time_ms == times.get("EchoTime")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1, 2]", "5", b"\xff\xfe\x00", "[" * 100_000, '{"a": ' + "9" * 10_000 + "}", " " * (16 * 2**20 + 1)],
)
def test_a_broken_sidecar_is_left_out_and_named(tmp_path, content):
    found = sidecar(tmp_path, content)
    assert found.acquisition == Acquisition()
    assert len(found.problems) == 1
    assert "a.json" in found.problems[0]


@pytest.mark.parametrize("value", [None, {}, [], [[]], "x", -1, True, 1e999, [None, "FS"]])
def test_no_value_is_too_strange(tmp_path, value):
    keys = ("EchoTime", "ScanningSequence", "ImageType", "ImageTypeText", "ScanOptions", "BodyPart", "Modality")
    found = sidecar(tmp_path, json.dumps(dict.fromkeys(keys, value)))
    assert found.acquisition.echo_time_ms is None
    assert found.problems == ()


def test_a_byte_order_mark_does_no_harm(tmp_path):
    assert sidecar(tmp_path, b'\xef\xbb\xbf{"EchoTime": 0.01}').acquisition.echo_time_ms == 10.0
