"""Folder names that are no text, in the one output file that holds them."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from tests.export.handmade import series_info, study_index
from toh_mri.core.errors import ExportError
from toh_mri.core.study import Contrast, SeriesSource, StudyIdentity
from toh_mri.export import KeyEntry, update_key
from toh_mri.export.key import refuse_taken

ODD = "caf\udce9 \u5c71\n"


def index_at(path):
    sources = (SeriesSource(series_info("COR_STIR", Contrast.STIR), (), None, f"st\ud800ir {ODD}"),)
    return replace(study_index(), path=path, sources=sources, identity=StudyIdentity(None, None, None, ODD))


def test_key_csv_holds_any_name_and_knows_it_again(tmp_path):
    index = index_at(Path("in") / ODD)
    update_key(tmp_path, [KeyEntry("S1", "P1", index)])
    update_key(tmp_path, [KeyEntry("S2", "P1", index)])
    with (tmp_path / "key.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["study_id"] for row in rows] == ["S1", "S2"]
    assert rows[0]["source_folder"].endswith("caf\\udce9 \u5c71\\n")
    assert rows[0]["source_series"] == "COR_STIR=st\\ud800ir caf\\udce9 \u5c71\\n"
    refuse_taken(tmp_path, "S1", index)
    with pytest.raises(ExportError, match="study_id_taken"):
        refuse_taken(tmp_path, "S1", index_at(Path("in") / "caf\udce8"))
