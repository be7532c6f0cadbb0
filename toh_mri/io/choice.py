"""Series that the user chose by a file, in place of the ones the rules would take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toh_mri.core.errors import InputError
from toh_mri.core.study import Contrast, Exclusion, SeriesInfo, SeriesRole, SeriesSource, SlicePlane


@dataclass(frozen=True)
class Choice:
    """Any file of the series that is to be the T1 one, and of the one that is to show fluid; None: not chosen."""

    t1: Path | None = None
    fluid: Path | None = None

    def role(self, paths: Iterable[Path], plane: SlicePlane, usual: SeriesRole) -> SeriesRole | None:
        """Return the role of a chosen series with these files; None for other series.

        The fluid-sensitive series keeps its contrast where the rules see a fluid-sensitive one; else it is T2FS.
        """
        files = {path.absolute() for path in paths}
        if self.t1 is not None and self.t1.absolute() in files:
            contrast, wanted = Contrast.T1, "the T1 series"
        elif self.fluid is not None and self.fluid.absolute() in files:
            contrast = usual.contrast if usual.contrast.is_fluid_sensitive else Contrast.T2FS
            wanted = "the fluid-sensitive series"
        else:
            return None
        return SeriesRole(contrast=contrast, plane=plane, score=1.0, reasons=(f"The user chose it as {wanted}.",))

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
        series: dict[Path, SeriesInfo] = {path.absolute(): s.info for s in sources for path in s.paths}
        for option, path in (("--t1", self.t1), ("--fluid", self.fluid)):
            if path is None:
                continue
            info = series.get(path.absolute())
            if info is None:
                raise InputError(
                    "file_not_in_study",
                    f"{option}: {path.name} is no image file of this study.",
                    "Give a file that 'toh-mri plan' lists; any file of the series will do.",
                )
            if info.excluded is not None:
                raise InputError(
                    "chosen_series_unusable", f"{option}: {path.name} cannot be used. {info.excluded.message}"
                )
