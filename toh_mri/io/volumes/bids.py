"""BIDS trees: names of subject and session, and which JSON files describe an image.

After the Brain Imaging Data Structure (Gorgolewski 2016, doi:10.1038/sdata.2016.44), whose inheritance
principle this is: a JSON file describes every image below its folder that has its suffix and all of its
entities (``sub-01``, ``acq-stir``); nearer files win.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from toh_mri.io.files.names import volume_stem
from toh_mri.io.files.opening import names_in

_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
_SESSION = re.compile(r"ses-[A-Za-z0-9]+")
_DATA_TYPE = "anat"
_FILE_NAME = re.compile(rf"(?P<subject>{_SUBJECT.pattern})_(?:(?P<session>{_SESSION.pattern})_)?.")
_STEM = re.compile(r"(?:[a-zA-Z]+-[A-Za-z0-9]+_)*[A-Za-z0-9]+")


class BidsName(NamedTuple):
    """Where a path stands in a BIDS tree.

    Attributes
    ----------
    subject : str
        With its prefix: ``sub-01``.
    session : str or None
        With its prefix: ``ses-2``.
    dataset : Path
        The folder that holds the subjects.
    """

    subject: str
    session: str | None
    dataset: Path

    @property
    def study(self) -> str:
        """Subject and session with a slash between them: ``sub-01/ses-2``, or ``sub-01``."""
        return self.subject if self.session is None else f"{self.subject}/{self.session}"


def bids_names(path: Path) -> BidsName | None:
    """Return subject and session of a file or folder in ``sub-*/anat`` or ``sub-*/ses-*/anat``; None elsewhere."""
    whole = path.absolute()
    subject = next((folder for folder in (whole, *whole.parents) if _SUBJECT.fullmatch(folder.name)), None)
    if subject is None:
        return None
    inner = list(whole.relative_to(subject).parts)
    session = inner.pop(0) if inner and _SESSION.fullmatch(inner[0]) else None
    return BidsName(subject.name, session, subject.parent) if inner[:1] == [_DATA_TYPE] else None


def subject_in_name(image: Path) -> BidsName | None:
    """Return subject and session of a file called ``sub-*_[ses-*_]*``, wherever it lies; None for other names."""
    match = _FILE_NAME.match(image.name)
    return None if match is None else BidsName(match["subject"], match["session"], image.parent)


class Describing:
    """Which JSON files describe an image. Every folder is listed once, so that one of these serves a whole scan."""

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, list[_Described]]] = {}

    def files(self, image: Path) -> list[Path]:
        """Return the JSON files that describe a volume, the nearest last; the one of its own name may not be there.

        Outside a BIDS tree, and for names that are not BIDS's, the file of the volume's own name is the only one.
        """
        stem = volume_stem(image) or image.name
        names = bids_names(image)
        if names is None or not _STEM.fullmatch(stem):
            return [image.with_name(f"{stem}.json")]
        folder = image.absolute().parent
        levels = [folder, *folder.parents]
        *entities, suffix = stem.split("_")
        return [
            level / described.name
            for level in levels[levels.index(names.dataset) :: -1]
            for described in self._in(level).get(suffix, ())
            if described.entities.issubset(entities)
        ]

    def _in(self, folder: Path) -> dict[str, list[_Described]]:
        """Return the JSON files of a folder by the suffix of what they describe, the most general first."""
        if folder not in self._listed:
            by_suffix: dict[str, list[_Described]] = defaultdict(list)
            for name in names_in(folder):
                if name.endswith(".json"):
                    *entities, suffix = name.removesuffix(".json").split("_")
                    by_suffix[suffix].append(_Described(len(entities), name, frozenset(entities)))
            self._listed[folder] = {suffix: sorted(files) for suffix, files in by_suffix.items()}
        return self._listed[folder]


class _Described(NamedTuple):
    """A JSON file, and the entities that an image must have to be described by it. Sorts the more general first."""

    size: int
    name: str
    entities: frozenset[str]
