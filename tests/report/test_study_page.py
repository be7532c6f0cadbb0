import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from tests.export.handmade import (
    RADIUS_MM,
    SPACING_MM,
    failed_hip_record,
    failed_study_record,
    hip_record,
    hip_result,
    study_record,
)
from toh_mri.core.config.report import ReportConfig
from toh_mri.core.hip import HipResult, Measurements
from toh_mri.core.record import NOTICE
from toh_mri.geometry import Side
from toh_mri.report import hip_preview, study_page
from toh_mri.report.pictures import hip_pictures
from toh_mri.report.wording import key_values, number

SETTINGS = ReportConfig()


@pytest.fixture(scope="module")
def page():
    return study_page(study_record(), {Side.LEFT: hip_result()}, SETTINGS)


def text_of(page):
    body = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_page_needs_no_other_file_and_no_network(page):
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", page)
    assert "<script" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_the_same_result_gives_the_same_bytes(page):
    assert study_page(study_record(), {Side.LEFT: hip_result()}, SETTINGS) == page


def test_the_page_says_what_a_reader_looks_for(page):
    text = text_of(page)
    for words in (
        "For research use only",
        "S1",
        "Left hip",
        "ON-like",
        "please review",
        "border contact",
        "3.05 ml",
        "12.5 %",
        "probability of ON-like 0.88",
        "It touches the edge.",
        "Reference series COR_STIR: STIR before PDFS",
        "It is a localizer.",
        "degraded",
        "Slice 7 of 12",
    ):
        assert words in text
    assert NOTICE.removeprefix("For research use only. ") in text


def test_absent_values_are_a_dash_with_their_reason(page):
    row = re.search(r"<tr><td>Effusion</td>.*?</tr>", page, flags=re.DOTALL).group()
    assert "—" in row
    assert "not looked for" in row


def test_zero_is_not_absent():
    record = hip_record().model_copy(
        update={"measurements": Measurements(values={"edema_volume_ml": 0.0}, absent={}, flags=())}
    )
    assert (key_values(record)[0].text, key_values(record)[0].reason) == ("0", None)


def test_words_from_elsewhere_are_escaped(page):
    assert "A band crosses &lt;the head&gt;." in page


def test_every_picture_has_its_patient_directions_and_true_proportions(page):
    pictures = re.findall(r"<svg viewBox=.*?</svg>", page, flags=re.DOTALL)
    pictures = [ET.fromstring(picture) for picture in pictures if "<image" in picture]  # noqa: S314 - our own
    assert pictures
    for picture in pictures:
        letters = [text.text for text in picture.iter("text")]
        assert letters[:4] == ["R", "L", "S", "I"]
        width, height = (float(n) for n in picture.get("viewBox").split()[2:])
        image = picture.find("image")
        assert (float(image.get("width")), float(image.get("height"))) == (width, height)
    result = hip_pictures(hip_result(), SETTINGS)[0].pictures[0]
    assert result.width_mm % SPACING_MM[2] == pytest.approx(0)
    assert result.height_mm % SPACING_MM[1] == pytest.approx(0)


def outline_extent(path):
    points = np.array([[float(n) for n in pair] for pair in re.findall(r"([\d.]+) ([\d.]+)", path)])
    return points.min(axis=0), points.max(axis=0)


def test_the_outline_lies_on_the_head():
    slices = hip_pictures(hip_result(), SETTINGS)
    middle = next(item for item in slices if "through" in item.position)
    (head,) = [layer for layer in middle.layers if layer.name == "femoral_head"]
    low, high = outline_extent(head.path)
    np.testing.assert_allclose(high - low, 2 * RADIUS_MM, atol=2 * max(SPACING_MM[1:]))
    # Edema is the small ball in the upper half: above the middle of the head, inside its outline.
    (edema,) = [layer for layer in middle.layers if layer.name == "edema"]
    edema_low, edema_high = outline_extent(edema.path)
    assert (edema_low > low).all()
    assert (edema_high < high).all()
    assert edema_high[1] < (low + high)[1] / 2 + 9 - 6 + SPACING_MM[1]


def test_a_line_is_drawn_in_its_own_slice_only():
    drawn = {
        item.number: [layer for layer in item.layers if layer.name == "band" and not layer.filled]
        for item in hip_pictures(hip_result(), SETTINGS)
    }
    assert [number for number, layers in drawn.items() if layers] == [7]
    low, high = outline_extent(drawn[7][0].path)
    np.testing.assert_allclose(high - low, (20, 3), atol=0.02)


def test_slices_and_series_stand_side_by_side():
    slices = hip_pictures(hip_result(), ReportConfig(slices_per_hip=3))
    assert len(slices) == 3
    assert [item.number for item in slices] == sorted(item.number for item in slices)
    assert all(len(item.pictures) == 2 for item in slices)
    assert "COR_T1, interpolated" in slices[0].pictures[1].title
    # Both series hold the same samples on one grid: interpolation at the voxel centres must return them.
    assert all(item.pictures[0].base == item.pictures[1].base for item in slices)


def test_position_names_the_side_of_the_head():
    first, *_, last = hip_pictures(hip_result(), ReportConfig(slices_per_hip=40))
    assert "anterior of" in first.position
    assert "posterior of" in last.position


def test_the_patients_right_side_comes_first():
    hips = {side: hip_record(side) for side in Side}
    text = text_of(study_page(study_record(hips=hips), {}, SETTINGS))
    assert text.index("Right hip") < text.index("Left hip")


def test_a_failed_study_has_a_page_with_the_reason_and_what_is_known():
    text = text_of(study_page(failed_study_record(), {}, SETTINGS))
    for words in ("could not be analysed", "No series fits.", "See the plan.", "no_usable_series", "COR_T1"):
        assert words in text


def test_a_hip_that_failed_after_it_was_found_is_shown_with_the_circle_that_was_found():
    located = HipResult(hip_result().images)
    record = study_record(hips={Side.LEFT: failed_hip_record(Side.LEFT)})
    page = study_page(record, {Side.LEFT: located}, SETTINGS)
    assert "No surface." in text_of(page)
    assert "Nothing was measured: no surface" in text_of(page)
    assert "s-located_head" in page
    assert "femoral head" not in text_of(page)


def test_a_single_slice_has_areas_and_one_picture():
    result = hip_result()
    images = result.images
    one = [replace(item, image=item.image.crop((4, 0, 0), (5, *item.image.grid.shape[1:]))) for item in images.series]
    flat = HipResult(replace(images, series=tuple(one[:1])))
    record = hip_record().model_copy(
        update={
            "dimensionality": 2,
            "measurements": Measurements(values={"edema_area_mm2": 250.0}, absent={}, flags=()),
        }
    )
    page = study_page(study_record(hips={Side.LEFT: record}), {Side.LEFT: flat}, SETTINGS)
    assert page.count("<figure>") == 1
    assert "250 mm²" in text_of(page)
    assert " ml " not in text_of(page).split("Images")[0].split("Key values")[1]


def test_the_preview_is_one_svg_with_picture_and_outline():
    root = ET.fromstring(hip_preview(hip_result(), SETTINGS))  # noqa: S314 - our own
    svg = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{svg}svg"
    assert root.find(f"{svg}image").get("href").startswith("data:image/png;base64,")
    classes = [path.get("class") for path in root.iter(f"{svg}path")]
    assert any("s-femoral_head" in name for name in classes)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (True, "yes"),
        (False, "no"),
        (0.0, "0"),
        (12.345, "12.3"),
        (1234.5, "1234"),
        (3, "3"),
        ("a", "a"),
    ],
)
def test_numbers_are_printed_plainly(value, text):
    assert number(value) == text


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_slice_through_the_middle_of_the_head_is_always_shown(count):
    numbers = [item.number for item in hip_pictures(hip_result(), ReportConfig(slices_per_hip=count))]
    assert 7 in numbers
    assert numbers == sorted(set(numbers))
    assert len(numbers) == count
