"""Files that come with the program: presets and sample studies."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from toh_mri.core.errors import ConfigError, InputError


def packaged(name: str) -> Path:
    """Return a packaged folder: inside an installed package, or beside it in a source checkout.

    Raises
    ------
    InputError
        ``not_packaged`` if it is in neither place.
    """
    package = Path(str(files("toh_mri")))
    for folder in (package / "_packaged" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise InputError("not_packaged", f"This installation has no folder {name}.", "Install toh-mri again.")


def preset(name: str) -> Path:
    """Return a configuration file, given by its path or by the name of a preset.

    Raises
    ------
    ConfigError
        ``config_unreadable`` if there is neither.
    """
    if Path(name).is_file():
        return Path(name)
    presets = {path.stem: path for path in sorted(packaged("configs").glob("*.yaml"))}
    if name not in presets:
        raise ConfigError(
            "config_unreadable",
            f"--config {name}: is neither a file nor a preset.",
            f"The presets are {', '.join(presets)}.",
        )
    return presets[name]
