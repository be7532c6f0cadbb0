"""DICOM files to studies: headers are read once, grouped by study and series, and divided into stacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pydicom.uid import MediaStorageDirectoryStorage

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import GeometryError, InputError
from toh_mri.core.study import Exclusion, SkippedFile
from toh_mri.io.dicom_header import DicomHeader, Frame, read_header
from toh_mri.io.dicom_kind import series_kind, stack_kind
from toh_mri.io.dicom_pixels import read_stack
from toh_mri.io.dicom_stack import split_into_stacks, stack_grid
from toh_mri.io.foreign import foreign_errors
from toh_mri.io.series import Candidate

_NO_STACK_ASKED = frozenset({"not_an_image", "picture", "localizer", "mosaic", "radial"})


class DicomStudy(NamedTuple):
    """The headers of one study of one patient."""

    headers: tuple[DicomHeader, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The study's files."""
        return tuple(header.path for header in self.headers)


def scan_dicom(paths: Iterable[Path]) -> tuple[list[DicomStudy], list[SkippedFile]]:
    """Read the headers of DICOM files and group them by study and patient; broken files are skipped."""
    studies: dict[tuple[str, str], list[DicomHeader]] = defaultdict(list)
    skipped: list[SkippedFile] = []
    seen: set[str] = set()
    for path in paths:
        try:
            with foreign_errors("unreadable_dicom", "Its DICOM header cannot be read"):
                header = read_header(path)
        except InputError as error:
            skipped.append(_skip(path, error.code, error.message))
            continue
        if header.sop_class == MediaStorageDirectoryStorage:
            skipped.append(_skip(path, "directory", "It is a DICOMDIR; the files it lists are found without it."))
        elif header.instance and header.instance in seen:
            skipped.append(_skip(path, "copy", "It is a copy of a file found before (same SOP instance UID)."))
        else:
            seen.add(header.instance)
            # Without a study UID, the files of one folder are one study.
            key = header.study or f"folder {path.parent}"
            studies[key, header.patient or ""].append(header)
    return [DicomStudy(tuple(headers)) for _, headers in sorted(studies.items())], skipped


def study_candidates(study: DicomStudy, config: IoConfig) -> Iterator[Candidate]:
    """Describe every series of a study, divided into stacks."""
    series: dict[tuple[str, str], list[DicomHeader]] = defaultdict(list)
    for header in study.headers:
        series[header.series, str(header.sop_class)].append(header)
    for key, headers in series.items():
        order = (headers[0].series_number, *key)
        kind = series_kind(headers)
        if kind is not None and kind.code in _NO_STACK_ASKED:
            yield _whole_series(headers, kind, order)
            continue
        frames = [frame for header in headers for frame in header.frames]
        for number, stack in enumerate(sorted(split_into_stacks(frames), key=_stack_order)):
            yield _stack_candidate(headers, stack, kind, (*order, number), config)


def _skip(path: Path, code: str, message: str) -> SkippedFile:
    return SkippedFile(path, Exclusion(code=code, message=message))


def _stack_order(stack: Sequence[Frame]) -> tuple[str, ...]:
    first = min(stack, key=lambda frame: (frame.instance, frame.number))
    orientation = [] if first.orientation is None else first.orientation.ravel().round(3).tolist()
    return (repr(first.kind), repr(orientation), f"{first.number:06d}", first.instance)


def _whole_series(headers: Sequence[DicomHeader], kind: Exclusion, order: tuple[object, ...]) -> Candidate:
    first = headers[0]
    return Candidate(
        acquisition=first.acquisition,
        description=first.description,
        words=first.words,
        paths=tuple(header.path for header in headers),
        order=order,
        unfit=(kind,),
    )


def _stack_candidate(
    headers: Sequence[DicomHeader],
    stack: Sequence[Frame],
    kind: Exclusion | None,
    order: tuple[object, ...],
    config: IoConfig,
) -> Candidate:
    first, header = stack[0], headers[0]
    unfit = kind or stack_kind(header, first)
    broken: tuple[Exclusion, ...] = ()
    ordered, grid = list(stack), None
    try:
        ordered, grid = stack_grid(stack, config.spacing_tolerance_fraction)
    except GeometryError as error:
        broken = (Exclusion(code=error.code, message=error.message),)
    return Candidate(
        acquisition=ordered[0].acquisition,
        description=header.description,
        words=header.words,
        paths=tuple(frame.path for frame in ordered),
        order=order,
        normal=first.normal,
        shape=(len(stack), first.rows, first.columns),
        grid=grid,
        load=None if grid is None else partial(read_stack, tuple(ordered), grid),
        unfit=() if unfit is None else (unfit,),
        broken=broken,
        notes=tuple(_notes(headers, stack)),
    )


def _notes(headers: Sequence[DicomHeader], stack: Sequence[Frame]) -> Iterator[str]:
    if any(header.burned_in for header in headers):
        yield "Text is burned into its pixels (BurnedInAnnotation): pictures of it may identify the patient."
    if len(stack) == 1 and stack[0].acquisition.slice_thickness_mm is None:
        yield "Its slice thickness is not given; 1 mm is assumed."
