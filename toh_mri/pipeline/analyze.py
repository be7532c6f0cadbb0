"""The chain from a study to its result, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from toh_mri.classification import classify_hip
from toh_mri.core.config import Config
from toh_mri.core.errors import SeriesSelectionError, TohMriError
from toh_mri.core.hip import Anatomy, HipImages, HipResult
from toh_mri.core.record import Failure
from toh_mri.core.study import Study
from toh_mri.geometry import Image
from toh_mri.lesions import find_lesions
from toh_mri.measure import measure_hip
from toh_mri.pipeline.anatomy import segment_together
from toh_mri.pipeline.records import hip_record, study_record
from toh_mri.pipeline.result import StudyResult
from toh_mri.preprocess import align_study, check_laterality, crop_hip
from toh_mri.segmentation.backends import Segmenter, find_segmenter
from toh_mri.segmentation.plausibility import compare_sides


def analyze_study(study: Study, config: Config | None = None, *, anatomy: Image | None = None) -> StudyResult:
    """Analyse one study: every hip in view, each from location to classification.

    What goes wrong with a study or a hip is in the result, not raised: the record carries status, code, message and
    hint, and the other hip goes on.

    Parameters
    ----------
    study : Study
        From `load_study`.
    config : Config, optional
        Defaults where not given.
    anatomy : Image, optional
        A person's label image (codes of `Label`) on any grid of the reference series' patient space; takes the place of
        the segmentation (back end ``manual``).

    Returns
    -------
    StudyResult

    Raises
    ------
    ConfigError
        ``segmenter_unknown`` or ``segmenter_unusable``: no study could be analysed so.
    """
    config = config or Config()
    if anatomy is not None:
        config = config.with_overrides(["segmentation.segmenter=manual"])
    segmenter = find_segmenter(config.segmentation.segmenter)
    try:
        aligned = align_study(_usable(study), config.preprocess)
        located = check_laterality(aligned, segmenter.locate(aligned, config.segmentation, anatomy))
        cropped = [crop_hip(aligned, location, config.preprocess) for location in located]
    except TohMriError as error:
        return StudyResult(study_record(study, config, failure=Failure.of(error)), {}, study)
    records, hips = {}, {}
    for images, traced in _segment_all(cropped, segmenter, anatomy, config):
        result, failure = _analyze_hip(images, traced, config)
        hips[result.images.side] = result
        records[result.images.side] = hip_record(result, failure, config, _unreadable(study))
    return StudyResult(study_record(study, config, aligned=aligned, hips=records), hips, study)


def _segment_all(
    cropped: list[HipImages], segmenter: Segmenter, labels: Image | None, config: Config
) -> list[tuple[HipImages, Anatomy | TohMriError]]:
    """Segment every hip before any is measured: each side is a check of the other."""

    def segment(images: HipImages) -> Anatomy:
        return segmenter.segment(images, config.segmentation, labels)

    results: list[tuple[HipImages, Anatomy | TohMriError]] = []
    for images in cropped:
        try:
            results.append(segment_together(images, segment) if config.preprocess.align else (images, segment(images)))
        except TohMriError as error:  # one hip's failure must not cost the other its result
            results.append((images, error))
    found = {item.side: item for _, item in results if isinstance(item, Anatomy)}
    compared = compare_sides(found, config.segmentation)
    return [(images, compared.get(images.side, item)) for images, item in results]


def _analyze_hip(images: HipImages, anatomy: Anatomy | TohMriError, config: Config) -> tuple[HipResult, Failure | None]:
    """Take one hip as far as it goes; what stopped it is returned beside what there is."""
    if isinstance(anatomy, TohMriError):
        return HipResult(images), Failure.of(anatomy)
    result = HipResult(images, anatomy)
    try:
        findings = find_lesions(images, anatomy, config.lesions)
        result = HipResult(images, anatomy, findings)
        measurements = measure_hip(images, anatomy, findings)
        result = HipResult(images, anatomy, findings, measurements)
        classification = classify_hip(measurements, findings, config.classification)
    except TohMriError as error:
        return result, Failure.of(error)
    return HipResult(images, anatomy, findings, measurements, classification), None


def _unreadable(study: Study) -> tuple[str, ...]:
    """Return the series that looked usable by their headers, but whose pixels could not be read."""
    promised = {source.info.name for source in study.index.sources if source.info.excluded is None}
    return tuple(info.name for info in study.excluded if info.name in promised)


def _usable(study: Study) -> Study:
    if study.series:
        return study
    reasons = sorted({f"{info.name}: {info.excluded.message}" for info in study.excluded if info.excluded})
    codes = Counter(item.reason.code for item in study.index.skipped)
    reasons += [
        f"{count} {'file' if count == 1 else 'files'} skipped: {code}." for code, count in sorted(codes.items())
    ]
    raise SeriesSelectionError(
        "no_usable_series",
        "The study holds no series that could show a hip. " + "; ".join(reasons[:5]),
        " ".join(_ways_out(study)),
    )


def _ways_out(study: Study) -> Iterator[str]:
    yield "'toh-mri plan' explains every series."
    if any(info.excluded is not None and info.excluded.code == "missing_slices" for info in study.excluded):
        yield "--allow-missing-slices uses series that lack slices, too."
    yield (
        "'toh-mri analyze STUDY --t1 FILE --fluid FILE' tells which series to take; io.roles in the configuration "
        "overrides roles for all studies."
    )
