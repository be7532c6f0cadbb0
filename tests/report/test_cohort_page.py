import re

from tests.export.handmade import failed_study_record, study_record
from toh_mri.export import failure_rows, study_rows
from toh_mri.report import cohort_page


def page_of(*records):
    return cohort_page(
        [row for record in records for row in study_rows(record)],
        [row for record in records for row in failure_rows(record)],
        {record.study_id: f"studies/{record.study_id}/report.html" for record in records},
        {
            (record.study_id, side): f"studies/{record.study_id}/hip-{side}/preview.svg"
            for record in records
            for side in record.hips
        },
    )


def test_every_hip_has_a_row_a_picture_and_a_link():
    page = page_of(study_record("S1"), failed_study_record("S2"))
    rows = re.findall(r"<tr>.*?</tr>", page.split("<tbody>")[1].split("</tbody>")[0], flags=re.DOTALL)
    assert len(rows) == 2
    assert 'href="studies/S1/report.html#left"' in rows[0]
    assert 'src="studies/S1/hip-left/preview.svg"' in rows[0]
    assert "ON-like" in rows[0]
    assert 'href="studies/S2/report.html"' in rows[1]
    assert "<img" not in rows[1]
    assert "No series fits." in page


def test_the_page_loads_nothing_from_a_network():
    page = page_of(study_record("S1"))
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert "For research use only" in page


def test_an_empty_cohort_is_a_page_too():
    assert "0</b>studies" in page_of()
