"""DICOM files to studies: headers are read once, grouped by study and series, and divided into stacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import GeometryError, InputError
from toh_mri.core.study import Exclusion, SkippedFile
from toh_mri.io.dicom.header import DicomHeader, read_header
from toh_mri.io.dicom.kind import series_kind, stack_kind
from toh_mri.io.dicom.pixels import read_stack
from toh_mri.io.dicom.split import Part, split_into_stacks
from toh_mri.io.dicom.stack import Stack, spacing_note, stack_of
from toh_mri.io.files.foreign import silence, translated_errors
from toh_mri.io.series import Candidate

_NO_STACK_ASKED = frozenset({"not_an_image", "picture", "localizer", "radial"})
_MOST_STACKS = 16  # echoes, Dixon parts, a short dynamic; more is a time series


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
    seen: set[tuple[object, ...]] = set()
    with silence():
        for path in paths:
            try:
                with translated_errors("unreadable_dicom", "Its DICOM header cannot be read"):
                    header = read_header(path)
            except InputError as error:
                skipped.append(SkippedFile(path, Exclusion.of(error)))
                continue
            image = _image(header)
            if header.instance and image in seen:
                skipped.append(_skip(path, "copy", "It is a copy of a file found before (same SOP instance UID)."))
                continue
            seen.add(image)
            studies[_study_key(header), header.patient or ""].append(header)
    return [DicomStudy(tuple(headers)) for _, headers in sorted(_with_nameless(studies).items())], skipped


def _image(header: DicomHeader) -> tuple[object, ...]:
    """Return what makes an image: careless tools give one SOP instance UID to many."""
    places = (None if frame.position is None else tuple(frame.position.tolist()) for frame in header.frames)
    first = header.frames[0] if header.frames else None
    numbers = None if first is None else (first.kind, first.numbers)
    return (header.instance, header.study, header.series, header.acquisition, numbers, tuple(places))


def _study_key(header: DicomHeader) -> str:
    """Return what the files of one study share: its UID, else their folder and frame of reference."""
    return header.study or f"folder {header.path.parent} {header.frame_of_reference}"


def _with_nameless(
    studies: dict[tuple[str, str], list[DicomHeader]],
) -> dict[tuple[str, str], list[DicomHeader]]:
    """Hand files without a patient number to the one patient of their study, where there is one only."""
    patients: dict[str, set[str]] = defaultdict(set)
    for study, patient in studies:
        patients[study].add(patient)
    joined: dict[tuple[str, str], list[DicomHeader]] = defaultdict(list)
    for (study, patient), headers in studies.items():
        named = patients[study] - {""}
        joined[study, patient or (next(iter(named)) if len(named) == 1 else "")].extend(headers)
    return joined


def study_candidates(study: DicomStudy, config: IoConfig) -> Iterator[Candidate]:
    """Describe every series of a study, divided into stacks."""
    series: dict[tuple[str, ...], list[DicomHeader]] = defaultdict(list)
    for header in study.headers:
        series[_series_key(header)].append(header)
    for key, headers in series.items():
        order = (headers[0].series_number, *key)
        kind = series_kind(headers)
        if kind is not None and kind.code in _NO_STACK_ASKED:
            yield _whole_series(headers, kind, order)
            continue
        by_path = {header.path: header for header in headers}
        parts = split_into_stacks([frame for header in headers for frame in header.frames])
        if len(parts) > _MOST_STACKS:
            kind = kind or Exclusion(
                code="time_series", message=f"It holds {len(parts)} stacks (at most {_MOST_STACKS}): a time series."
            )
        for number, part in enumerate(sorted(parts, key=_part_order)):
            used = [by_path[path] for path in dict.fromkeys(frame.path for frame in part.frames)]
            yield _stack_candidate(used, part, kind, (*order, number), config)


def _series_key(header: DicomHeader) -> tuple[str, ...]:
    """Return what the files of one series share: its UID, else its number and name."""
    uid = header.series or f"number {header.series_number} {header.description}"
    return (uid, str(header.sop_class))


def _skip(path: Path, code: str, message: str) -> SkippedFile:
    return SkippedFile(path, Exclusion(code=code, message=message))


def _part_order(part: Part) -> tuple[object, ...]:
    first = min(part.frames, key=lambda frame: (frame.instance, frame.number))
    orientation = [] if first.orientation is None else first.orientation.ravel().round(3).tolist()
    kind = first.kind
    numbers = (kind.time_point or 0.0, kind.echo_time_ms or 0.0, kind.b_value or 0.0)
    return (sorted(kind.shows), numbers, kind.stack or "", orientation, first.number, first.instance)


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
    part: Part,
    kind: Exclusion | None,
    order: tuple[object, ...],
    config: IoConfig,
) -> Candidate:
    first, header = part.frames[0], headers[0]
    unfit = kind or stack_kind(header, first)
    broken: tuple[Exclusion, ...] = ()
    stack: Stack | None = None
    try:
        stack = stack_of(part.frames, config)
    except GeometryError as error:
        broken = (Exclusion.of(error),)
    sources = {frame.scaling.source or "nothing" for frame in part.frames}
    if len(sources) > 1:
        message = f"Its slices are not scaled alike: some by {' and some by '.join(sorted(sources))}."
        broken = (*broken, Exclusion(code="scaling_disagrees", message=message))
    return Candidate(
        acquisition=first.acquisition if stack is None else stack.frames[0].acquisition,
        description=header.description,
        words=header.words,
        paths=tuple(frame.path for frame in (part.frames if stack is None else stack.frames)),
        order=order,
        normal=first.normal,
        shape=(len(part.frames), first.rows, first.columns),
        grid=None if stack is None else stack.grid,
        missing_slices=() if stack is None else stack.missing_slices,
        load=None if stack is None else partial(read_stack, stack),
        unfit=() if unfit is None else (unfit,),
        broken=broken,
        notes=tuple(_notes(headers, part, stack)),
    )


def _notes(headers: Sequence[DicomHeader], part: Part, stack: Stack | None) -> Iterator[str]:
    if part.note:
        yield part.note
    if any(header.burned_in for header in headers):
        yield "Text is burned into its pixels (BurnedInAnnotation): pictures of it may identify the patient."
    if len(part.frames) == 1 and part.frames[0].acquisition.slice_thickness_mm is None:
        yield "Its slice thickness is not given; 1 mm is assumed."
    if stack is not None and spacing_note(stack):
        yield spacing_note(stack)
    if stack is not None and stack.missing_slices:
        missing = ", ".join(str(index + 1) for index in stack.missing_slices)
        yield (
            f"Slices are missing (number {missing} of {stack.grid.shape[0]}): nothing is measured there, "
            "volumes are lower bounds."
        )
