"""toh-mri: bone-marrow edema in hip MRI, transient osteoporosis against osteonecrosis. For research use only.

>>> import toh_mri as tm                            # doctest: +SKIP
>>> result = tm.analyze_study(tm.load_study("path"))  # doctest: +SKIP

Names are loaded when they are first used, so that ``import toh_mri`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toh_mri.core.config import Config
    from toh_mri.io import load_study
    from toh_mri.pipeline import StudyResult, analyze_study

    __version__: str

__all__ = ["Config", "StudyResult", "__version__", "analyze_study", "load_study"]

_HOMES = {
    "Config": "toh_mri.core.config",
    "StudyResult": "toh_mri.pipeline",
    "analyze_study": "toh_mri.pipeline",
    "load_study": "toh_mri.io",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("toh-mri")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
