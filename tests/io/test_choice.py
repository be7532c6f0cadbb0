"""Files that the user chose: one series is meant, however many the file holds and however its path is written."""

import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.io.writers.enhanced import SIEMENS_XA, EnhancedProtocol, enhanced_dataset, frames_of, save_enhanced
from tests.io.writers.stored_volume import StoredVolume, coronal_affine, noise
from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError
from toh_mri.core.study import Acquisition, Contrast, Exclusion
from toh_mri.geometry import Grid
from toh_mri.io import index_study
from toh_mri.io.choice import Choice
from toh_mri.io.series import Candidate, index_series

CONFIG = IoConfig(salt="fixed")
ANY_SIZE = IoConfig(salt="fixed", minimum_field_of_view_mm=0, minimum_coverage_mm=0)
PHASE = Exclusion(code="phase", message="It shows phase.")
LOCALIZER = Exclusion(code="localizer", message="It is a localizer.")
CORONAL = np.array([[0, 0, 1.0, 0], [4.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1]])
RAS = np.array([[-1.0, 0, 0, 40], [0, 0, -4.0, 0], [0, 1.0, 0, -40], [0, 0, 0, 1]])


def candidate(path: str, contrast: Contrast | None, number: int = 0, **values: object) -> Candidate:
    grid = Grid((9, 80, 80), CORONAL)
    return Candidate(
        acquisition=Acquisition(),
        description="",
        words="",
        paths=(Path(path),),
        order=(path, number),
        normal=grid.directions[:, 0],
        grid=grid,
        contrast=contrast,
        load=lambda: None,
        **values,
    )


def held_by(path: str, *contrasts: Contrast) -> list[Candidate]:
    return [candidate(path, contrast, number) for number, contrast in enumerate(contrasts)]


def verdicts(candidates, **chosen):
    """Return why each series is left out, by its name."""
    choice = Choice(**{name: Path(path) for name, path in chosen.items()})
    sources = index_series(candidates, CONFIG, choice)
    choice.check(sources)
    return {source.info.name: source.info.excluded and source.info.excluded.code for source in sources}


def coronal(seed):
    return StoredVolume(noise((9, 20, 25), seed=seed), coronal_affine())


@pytest.fixture
def dixon(tmp_path):
    """Write one enhanced object that holds water, fat and the a phase image, PD-weighted, and more if asked for."""

    def write(*more: str) -> Path:
        frames = []
        for number, part in enumerate(("WATER", "FAT", *more)):
            frames += frames_of(coronal(number), image_type=("DERIVED", "PRIMARY", "DIXON", part))
        phase = {"image_type": ("ORIGINAL", "PRIMARY", "PHASE MAP", "NONE"), "component": "PHASE"}
        frames += frames_of(coronal(9), **phase)
        protocol = EnhancedProtocol(repetition_ms=4000.0, inversion_ms=None)
        save_enhanced(tmp_path / "s", enhanced_dataset(frames, SIEMENS_XA, protocol=protocol))
        (path,) = (tmp_path / "s").iterdir()
        return path

    return write


def test_one_stack_of_an_enhanced_object_is_meant_and_never_its_phase(dixon):
    path = dixon()
    sources = index_study(path.parent, ANY_SIZE, t1=path).sources
    names = {source.info.name: source.info.excluded and source.info.excluded.code for source in sources}
    assert names == {"COR_DIXON_WATER": None, "COR_OTHER": "phase", "COR_T1": None}
    (chosen,) = (source for source in sources if source.info.name == "COR_T1")
    assert "FAT" in chosen.info.acquisition.image_type
    both = index_study(path.parent, ANY_SIZE, t1=path, fluid=path).sources
    assert {source.info.name for source in both if source.info.excluded is None} == {"COR_DIXON_WATER", "COR_T1"}


def test_several_stacks_that_could_be_meant_are_named(dixon):
    path = dixon("IN_PHASE")
    with pytest.raises(InputError, match="choice_ambiguous") as caught:
        index_study(path.parent, ANY_SIZE, t1=path)
    assert "COR_DIXON_FAT" in caught.value.message
    assert "COR_PD" in caught.value.message
    assert "COR_DIXON_WATER" not in caught.value.message
    assert caught.value.hint


def test_volumes_of_a_4d_file_that_nothing_tells_apart_are_not_all_t1(tmp_path):
    path = tmp_path / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((80, 80, 9, 2), np.int16), RAS), path)
    with pytest.raises(InputError, match=r"COR_OTHER, COR_OTHER_2\. \[choice_ambiguous\]"):
        index_study(tmp_path, CONFIG, t1=path)


def test_the_series_that_the_rules_read_as_asked_for_is_meant():
    file = held_by("a", Contrast.T1, Contrast.STIR, Contrast.OTHER)
    assert verdicts(file, t1="a", fluid="a") == {"COR_T1": None, "COR_STIR": None, "COR_OTHER": "no_usable_contrast"}
    others = [*file, *held_by("b", Contrast.T2FS, Contrast.T1)]
    assert verdicts(others, t1="a") == {
        "COR_T1": None,
        "COR_T1_2": "not_chosen",
        "COR_STIR": None,
        "COR_T2FS": None,
        "COR_OTHER": "no_usable_contrast",
    }


def test_the_only_stack_of_a_file_may_be_chosen_whatever_it_is_called():
    assert verdicts([candidate("a", Contrast.OTHER, unfit=(LOCALIZER,))], t1="a") == {"COR_T1": None}
    unread = candidate("a", None, unfit=(PHASE,))
    assert verdicts([unread, candidate("a", Contrast.OTHER, 1)], fluid="a") == {"COR_OTHER": "phase", "COR_T2FS": None}


def test_one_series_cannot_be_both():
    with pytest.raises(InputError, match=r"another series already.*chosen_series_unusable"):
        verdicts(held_by("a", Contrast.T1), t1="a", fluid="a")


def test_why_the_stack_that_is_meant_cannot_be_used_is_told():
    broken = Exclusion(code="missing_slices", message="It lacks slices.")
    meant = candidate("a", Contrast.T1, 1, broken=(broken,))
    with pytest.raises(InputError, match=r"lacks slices.*chosen_series_unusable"):
        verdicts([candidate("a", None, unfit=(PHASE,)), meant], t1="a")
    with pytest.raises(InputError, match="file_not_in_study"):
        verdicts([meant], t1="b")


@pytest.mark.parametrize("written", ["x/../0.nii.gz", "./0.nii.gz", "link/0.nii.gz"])
def test_a_file_is_known_however_its_path_is_written(tmp_path, monkeypatch, written):
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    nibabel.save(nibabel.Nifti1Image(np.zeros((80, 80, 9), np.int16), RAS), tmp_path / "0.nii.gz")
    monkeypatch.chdir(tmp_path)
    (source,) = index_study(tmp_path, CONFIG, t1=written).sources
    assert source.info.name == "COR_T1"


def test_a_member_of_an_archive_is_known_however_its_path_is_written(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((80, 80, 9), np.int16), RAS), tmp_path / "0.nii.gz")
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.write(tmp_path / "0.nii.gz", "x/0.nii.gz")
    chosen = tmp_path / "s.zip" / "x" / ".." / "x" / "0.nii.gz"
    (source,) = index_study(tmp_path / "s.zip", CONFIG, t1=chosen).sources
    assert source.info.name == "COR_T1"


def test_beside_the_fat_images_of_one_file_the_t1_ones_are_meant():
    candidates = [candidate("a", Contrast.DIXON_FAT, 0), candidate("a", Contrast.T1, 1)]
    chosen = [s.info for s in index_series(candidates, CONFIG, Choice(t1=Path("a"))) if s.info.excluded is None]
    assert [info.name for info in chosen] == ["COR_T1"]
