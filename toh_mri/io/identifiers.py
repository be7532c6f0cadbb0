"""Pseudonyms: what stands for patients and studies in every output.

A pseudonym is the HMAC-SHA-256 of the source's identifiers under a secret salt, shortened to 12 hex digits
(48 bits: the chance that two of a million studies share one is below 0.2 %). Without the salt it can be
neither reversed nor tested against a list of known patient numbers. With no salt in the configuration, a
random one is drawn once per process: pseudonyms then differ from run to run, so the commands that write
outputs take the salt from `salt_of`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from functools import cache
from pathlib import Path
from typing import NamedTuple

from toh_mri.core.config.io import IoConfig
from toh_mri.core.errors import InputError
from toh_mri.core.study import StudyIdentity

_SALT_FILE = "salt.txt"
_LONGEST_NAME = 80


class Pseudonyms(NamedTuple):
    """What a study is called in outputs; the date is None unless identifiers are kept."""

    study_id: str
    patient_id: str
    study_date: str | None


def pseudonyms(identity: StudyIdentity, config: IoConfig) -> Pseudonyms:
    """Return the names under which a study and its patient appear in outputs.

    Inputs without identifiers use the path relative to the root, made file-name safe; the patient of a BIDS tree is
    its subject.
    """
    if identity.study is None:
        name = safe_name(identity.relative_path)
        patient = safe_name(identity.relative_patient) if identity.relative_patient else name
        return Pseudonyms(name, patient, identity.date if config.keep_identifiers else None)
    if config.keep_identifiers:
        study = safe_name(identity.study)
        return Pseudonyms(study, safe_name(identity.patient) if identity.patient else study, identity.date)
    salt = config.salt or _process_salt()
    # A blank patient number says nothing: two such studies must not look like one patient.
    patient = identity.patient or f"\0{identity.study}"
    return Pseudonyms(
        "S" + _digest(salt, f"{identity.patient or ''}\0{identity.study}"), "P" + _digest(salt, patient), None
    )


def safe_name(name: str) -> str:
    """Make text usable as a file name on every system; different texts give different names.

    ``/`` becomes ``__``. Where other characters had to go, part of a hash of the text is appended.
    """
    flat = name.replace("\\", "/").strip("/").replace("/", "__")
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", flat).strip(".")[:_LONGEST_NAME]
    if safe.replace("__", "/") == name and safe:
        return safe
    return f"{safe or 'study'}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"


def salt_of(out: Path) -> str:
    """Return the salt kept in ``OUT/salt.txt``, made on first use (readable by its owner only).

    Raises
    ------
    InputError
        ``salt_unreadable`` if the file cannot be read or made, or is empty.
    """
    path = Path(out) / _SALT_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            salt = path.read_text(encoding="ascii").strip()
        else:
            salt = secrets.token_hex(16)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(salt + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "salt_unreadable", f"{path}: the salt cannot be read or made ({type(error).__name__})."
        ) from error
    if not salt:
        raise InputError(
            "salt_unreadable",
            f"{path}: is empty.",
            "Delete it; a new salt gives new pseudonyms to all studies.",
        )
    return salt


def _digest(salt: str, value: str) -> str:
    return hmac.new(salt.encode(), value.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:12]


@cache
def _process_salt() -> str:
    return secrets.token_hex(16)
