"""Series that the user chose by a file, in place of the ones the rules would take."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from toh_mri.core.errors import InputError
from toh_mri.core.study import Contrast, Exclusion, SeriesInfo, SeriesRole, SeriesSource


class Choosable(NamedTuple):
    """A series as the choice of a file sees it.

    Attributes
    ----------
    name : str
        Its name without any choice.
    paths : tuple of Path
    reading : SeriesRole or None
        What the rules take it for; None where its pixels have no place and cannot be chosen.
    fit : bool
        False for what is no plain MR series: a phase image, a map, a localizer.
    """

    name: str
    paths: tuple[Path, ...]
    reading: SeriesRole | None
    fit: bool


class _Wish(NamedTuple):
    """One option of the user, and what it asks for."""

    option: str
    path: Path
    wanted: str

    def fits(self, contrast: Contrast) -> bool:
        return contrast.is_t1_like if self.option == "--t1" else contrast.is_fluid_sensitive

    @property
    def reason(self) -> str:
        return f"The user chose it as {self.wanted}."

    def role(self, reading: SeriesRole) -> SeriesRole:
        """Return the role of the chosen series; its contrast outweighs the rules, its plane is its own."""
        reasons: tuple[str, ...] = (self.reason,)
        if self.option == "--t1":
            contrast = Contrast.T1
        elif reading.contrast.is_fluid_sensitive:
            contrast = reading.contrast
        else:
            contrast = Contrast.T2FS
            reasons += ("Nothing tells which kind it is; T2 with fat suppression is assumed ('io.roles' can say it).",)
        return SeriesRole(contrast=contrast, plane=reading.plane, score=1.0, reasons=reasons)


@dataclass(frozen=True)
class Choice:
    """Any file of the series that is to be the T1 one, and of the one that is to show fluid; None: not chosen."""

    t1: Path | None = None
    fluid: Path | None = None

    def roles(self, series: Sequence[Choosable]) -> dict[int, SeriesRole]:
        """Return the roles of the chosen series, by their index.

        One file may hold several stacks (an enhanced DICOM object, a 4-D volume). Those that are fit count before
        those that are not; of several, the one that the rules read as what was asked for is meant. The fluid-sensitive
        series keeps its contrast where the rules see a fluid-sensitive one; else it is T2FS.

        Raises
        ------
        InputError
            ``choice_ambiguous``.
        """
        places = [_places(item.paths) for item in series] if self != Choice() else []
        roles: dict[int, SeriesRole] = {}
        for wish in self._wishes():
            holders = [index for index, held in enumerate(places) if _place(wish.path) in held]
            index = _meant(wish, series, [index for index in holders if series[index].fit] or holders)
            reading = None if index is None else series[index].reading
            if index is not None and reading is not None:
                roles.setdefault(index, wish.role(reading))
        return roles

    def objection(self, role: SeriesRole | None) -> Exclusion | None:
        """Say why a series that was not chosen is left out; None where it may stay."""
        if role is not None and self.t1 is not None and role.contrast.is_t1_like:
            return Exclusion(code="not_chosen", message="The user chose another series as the T1 one.")
        if role is not None and self.fluid is not None and role.contrast.is_fluid_sensitive:
            return Exclusion(code="not_chosen", message="The user chose another series as the fluid-sensitive one.")
        return None

    def check(self, sources: Iterable[SeriesSource]) -> None:
        """See that every chosen file belongs to a usable series.

        Raises
        ------
        InputError
            ``file_not_in_study`` or ``chosen_series_unusable``.
        """
        held = [(_places(source.paths), source.info) for source in sources] if self != Choice() else []
        for wish in self._wishes():
            infos = [info for places, info in held if _place(wish.path) in places]
            if not infos:
                raise InputError(
                    "file_not_in_study",
                    f"{wish.option}: {wish.path.name} is no image file of this study.",
                    "Give a file that 'toh-mri plan' lists; any file of the series will do.",
                )
            problem = _problem(wish, infos)
            if problem is not None:
                raise InputError("chosen_series_unusable", f"{wish.option}: {wish.path.name} cannot be used. {problem}")

    def _wishes(self) -> Iterator[_Wish]:
        if self.t1 is not None:
            yield _Wish("--t1", self.t1, "the T1 series")
        if self.fluid is not None:
            yield _Wish("--fluid", self.fluid, "the fluid-sensitive series")


def _meant(wish: _Wish, series: Sequence[Choosable], holders: Sequence[int]) -> int | None:
    """Return which of the series that hold the chosen file is meant; None where none of them can be read."""
    readings = {index: reading for index in holders if (reading := series[index].reading) is not None}
    asked_for = [index for index, reading in readings.items() if wish.fits(reading.contrast)]
    plain_t1 = [index for index in asked_for if readings[index].contrast is Contrast.T1]
    asked_for = plain_t1 if len(plain_t1) == 1 else asked_for  # beside the fat image of the same acquisition
    if len(readings) <= 1 or len(asked_for) == 1:
        return next(iter(asked_for or readings), None)
    names = ", ".join(series[index].name for index in asked_for or readings)
    raise InputError(
        "choice_ambiguous",
        f"{wish.option}: {wish.path.name} holds several series, and which of them is {wish.wanted} is not clear: "
        f"{names}.",
        "Convert or export that series to a file of its own.",
    )


def _problem(wish: _Wish, infos: Sequence[SeriesInfo]) -> str | None:
    """Say what keeps the chosen series, one of those that hold the file, from being used."""

    def is_chosen(info: SeriesInfo) -> bool:
        return info.role is not None and info.role.reasons[0] == wish.reason

    info = min(infos, key=lambda info: (not is_chosen(info), info.role is None))
    if info.excluded is not None:
        return info.excluded.message
    return None if is_chosen(info) else "It is chosen as another series already."


def _place(path: Path) -> str:
    """Return where a file, or a member of an archive, lies, however the path to it is written."""
    return os.path.realpath(path)


def _places(paths: Iterable[Path]) -> frozenset[str]:
    return frozenset(_place(path) for path in paths)
