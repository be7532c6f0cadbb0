"""Body parts, as coded values.

Defined terms of DICOM PS3.16 Annex L (BodyPartExamined) and what scanners write in their place. A term that
is not listed here counts as unknown: it may be free text, which must not reach a result, and it excludes
nothing.
"""

from __future__ import annotations

import re

_MAY_SHOW_A_HIP = frozenset(
    {
        "HIP", "HIPS", "HIPJOINT", "PELVIS", "PELVISLOWEREXTREMT", "FEMUR", "THIGH", "UPPERLEG", "LEG",
        "LEGS", "LOWEREXTREMITY", "LOWERLIMB", "EXTREMITY", "EXTREMITIES", "JOINT", "BONE", "MSK",
        "SKELETON", "ACETABULUM", "ABDOMENPELVIS", "ABDPELVIS", "CHESTABDPELVIS", "WHOLEBODY", "HUEFTE",
        "HUFTE", "BECKEN", "HANCHE", "BASSIN", "CADERA", "ANCA", "BACINO", "QUADRIL",
    }
)  # fmt: skip
_SHOWS_NO_HIP = frozenset(
    {
        "ABDOMEN", "ANKLE", "AORTA", "ARM", "BRAIN", "BREAST", "CALCANEUS", "CALF", "CAROTID", "CERVIX",
        "CHEST", "CLAVICLE", "COCCYX", "COLON", "CSPINE", "CTSPINE", "EAR", "ELBOW", "EYE", "FINGER",
        "FOOT", "FOREARM", "HAND", "HEAD", "HEADNECK", "HEART", "HUMERUS", "IAC", "JAW", "KIDNEY", "KNEE",
        "LARYNX", "LIVER", "LOWERLEG", "LSPINE", "LSSPINE", "LUMBARSPINE", "CERVICALSPINE", "THORACICSPINE",
        "MAXILLA", "MANDIBLE", "MEDIASTINUM", "NECK", "NOSE", "ORBIT", "PANCREAS", "PATELLA", "PHANTOM",
        "PITUITARY", "PROSTATE", "RADIUS", "RECTUM", "SCAPULA", "SELLA", "SHOULDER", "SKULL", "SPINE",
        "SPLEEN", "SSPINE", "STERNUM", "THORAX", "TIBIA", "TLSPINE", "TMJ", "TMJOINT", "TOE", "TSPINE",
        "ULNA", "UTERUS", "WRIST",
    }
)  # fmt: skip


def coded_body_part(value: str | None) -> str | None:
    """Return the body part as a listed term (upper case, letters only); None where it is unknown."""
    term = re.sub(r"[^A-Z]", "", (value or "").upper())
    return term if term in _MAY_SHOW_A_HIP or term in _SHOWS_NO_HIP else None


def shows_no_hip(body_part: str | None) -> bool:
    """Tell whether a coded body part rules a hip out."""
    return body_part in _SHOWS_NO_HIP
