"""Lengths and shares of lines."""

import numpy as np
import pytest

from toh_mri.evaluation.lines import centreline, shares

SPACING = (4.0, 0.5, 0.5)


def bar(rows, columns, k=2):
    mask = np.zeros((5, 60, 80), bool)
    mask[k, rows[0] : rows[1], columns[0] : columns[1]] = True
    return mask


def test_length_is_that_of_the_middle_whatever_the_thickness():
    for thickness in (1, 3, 5):
        made = centreline(bar((20, 20 + thickness), (10, 70)), SPACING)
        assert made.longest_mm == pytest.approx(30.0, abs=0.5 * thickness + 0.5)


def test_a_diagonal_is_longer_than_its_columns():
    mask = np.zeros((3, 50, 50), bool)
    mask[1, np.arange(5, 45), np.arange(5, 45)] = True
    assert centreline(mask, SPACING).longest_mm == pytest.approx(39 * 0.5 * 2**0.5)


def test_length_is_that_of_the_slice_with_most_of_it():
    both = bar((20, 21), (10, 30)) | bar((40, 41), (10, 60), k=3)
    assert centreline(both, SPACING).longest_mm == pytest.approx(24.5)


@pytest.mark.parametrize(("pixels", "share"), [(0, 1.0), (6, 1.0), (7, 0.0)])
def test_three_millimetres_are_near(pixels, share):
    truth, found = bar((20, 21), (10, 70)), bar((20 + pixels, 21 + pixels), (10, 70))
    assert shares(found, truth, SPACING) == (share, share)


def test_the_next_slice_is_not_near_where_slices_are_four_millimetres_apart():
    assert shares(bar((20, 21), (10, 70), k=1), bar((20, 21), (10, 70), k=2), SPACING) == (0.0, 0.0)


def test_half_a_line_found_is_half_found_and_all_true():
    of_truth, of_found = shares(bar((20, 21), (10, 40)), bar((20, 21), (10, 70)), SPACING)
    assert of_found == 1.0
    assert of_truth == pytest.approx(36 / 60, abs=0.02)  # 30 of 60 pixels, and 3 mm beyond its end


def test_a_line_that_is_not_there_has_no_share():
    nothing, line = np.zeros((5, 60, 80), bool), bar((20, 21), (10, 70))
    assert shares(nothing, line, SPACING) == (0.0, None)
    assert shares(line, nothing, SPACING) == (None, 0.0)
    assert shares(nothing, nothing, SPACING) == (None, None)
