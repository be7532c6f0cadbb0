"""Find studies below a path, index one, read one: the way into the program."""

from __future__ import annotations

from pathlib import Path

from toh_mri.core.config import Config
from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError, TohMriError
from toh_mri.core.study import Exclusion, Series, SeriesInfo, Study, StudyIndex
from toh_mri.io.choice import Choice
from toh_mri.io.discovery import discover
from toh_mri.io.identifiers import pseudonyms
from toh_mri.io.series import IndexedSeries

_NAMED = 5


def find_studies(root: str | Path, config: IoConfig) -> tuple[StudyIndex, ...]:
    """Find every study below a folder or in a zip archive, a DICOMDIR or a single file. Reads headers only.

    DICOM files are grouped by study UID wherever they lie; every folder that directly holds volumes (NIfTI, NRRD,
    MetaImage) is one study (several where BIDS names tell subjects apart), and so is every exported picture. What is no
    image, or is a label image by its name (see `files.find`), is listed with the reason in `skipped` of the nearest
    study.

    Returns
    -------
    tuple of StudyIndex
        Sorted by their path relative to `root`; empty where there is none.

    Raises
    ------
    InputError
        ``path_missing``.
    """
    root = Path(root)
    return discover(root, root, config, Choice()).studies


def index_study(
    path: str | Path, config: IoConfig, *, t1: str | Path | None = None, fluid: str | Path | None = None
) -> StudyIndex:
    """Index the one study at a path.

    Parameters
    ----------
    path : str or Path
        A folder, a zip archive, a DICOMDIR or a single image file.
    config : IoConfig
    t1, fluid : str or Path, optional
        A file of the series to take as the T1 one and of the one to take as fluid-sensitive, in place of the ones that
        the rules would find; other series of that kind are left out.

    Raises
    ------
    InputError
        ``path_missing``, ``no_study``, ``several_studies``, ``file_not_in_study``, ``choice_ambiguous`` or
        ``chosen_series_unusable``.
    """
    path = Path(path)
    choice = Choice(None if t1 is None else Path(t1), None if fluid is None else Path(fluid))
    # Named from the folder above, so that a study has one name whether it is found here or from there.
    studies, skipped = discover(path, path.absolute().parent, config, choice)
    if not studies:
        reasons = sorted({item.reason.message for item in skipped})[:_NAMED]
        raise InputError(
            "no_study",
            f"{path}: no study was found. " + " ".join(reasons or ["It holds no files."]),
            "Give a folder with DICOM or NIfTI files, or one such file.",
        )
    if len(studies) > 1:
        raise InputError(
            "several_studies",
            f"{path}: {len(studies)} studies were found, not one.",
            "'toh-mri plan' lists them; 'toh-mri batch' analyses all of them.",
        )
    choice.check(studies[0].sources)
    return studies[0]


def read_study(index: StudyIndex, config: IoConfig) -> Study:
    """Read the pixels of every usable series of a study.

    A series whose pixels cannot be read joins the excluded ones, with the reason; the rest goes on.
    """
    series: list[Series] = []
    excluded: list[SeriesInfo] = []
    warnings = list(index.warnings)
    for source in index.sources:
        if source.info.excluded is not None or not isinstance(source, IndexedSeries) or source.load is None:
            excluded.append(source.info)
            continue
        try:
            loaded = source.load()
        except TohMriError as error:
            reason = Exclusion.of(error)
            excluded.append(source.info.model_copy(update={"excluded": reason}))
            warnings.append(f"{source.info.name}: left out. {error.message}")
            continue
        series.append(Series(source.info.model_copy(update={"rescale": loaded.rescale}), loaded.image))
        warnings.extend(f"{source.info.name}: {note}" for note in (*source.notes, *loaded.notes))
    names = pseudonyms(index.identity, config)
    return Study(
        study_id=names.study_id,
        patient_id=names.patient_id,
        study_date=names.study_date,
        series=tuple(series),
        excluded=tuple(excluded),
        index=index,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def load_study(
    path: str | Path, config: Config | None = None, *, t1: str | Path | None = None, fluid: str | Path | None = None
) -> Study:
    """Index and read the one study at a path. Parameters and errors are those of `index_study`."""
    settings = (config or Config()).io
    return read_study(index_study(path, settings, t1=t1, fluid=fluid), settings)
