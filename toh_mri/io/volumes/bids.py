"""BIDS trees: names of subject and session, and which JSON files describe an image.

After the Brain Imaging Data Structure (Gorgolewski 2016, doi:10.1038/sdata.2016.44), whose inheritance
principle this is: a JSON file describes every image below its folder that has its suffix and all of its
entities (``sub-01``, ``acq-stir``); nearer files win.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from toh_mri.io.files.names import volume_stem
from toh_mri.io.files.opening import names_in

_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
_SESSION = re.compile(r"ses-[A-Za-z0-9]+")
_DATA_TYPE = "anat"
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


def describing_files(image: Path) -> list[Path]:
    """Return the JSON files that describe a volume, the nearest last; the one of its own name may not be there.

    Outside a BIDS tree, and for names that are not BIDS's, the file of the volume's own name is the only one.
    """
    stem = volume_stem(image) or image.name
    names = bids_names(image)
    if names is None or not _STEM.fullmatch(stem):
        return [image.with_name(f"{stem}.json")]
    folder = image.absolute().parent
    levels = [folder, *folder.parents]
    return [path for level in levels[levels.index(names.dataset) :: -1] for path in _describing(stem, level)]


def _describing(stem: str, folder: Path) -> list[Path]:
    """Return the JSON files in one folder that describe an image of this name, the most general first."""
    *entities, suffix = stem.split("_")
    found = []
    for name in names_in(folder):
        *others, kind = name.removesuffix(".json").split("_")
        if name.endswith(".json") and kind == suffix and set(others) <= set(entities):
            found.append((len(others), name))
    return [folder / name for _, name in sorted(found)]
