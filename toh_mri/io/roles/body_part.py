"""Body parts, as coded values.

Defined terms of DICOM PS3.16 Annex L (BodyPartExamined) and what scanners write in their place, in several languages.
A term that is not listed here counts as unknown: it may be free text, which must not reach a result, and it excludes
nothing. Neither do regions whose examinations reach the hips, nor ABDOMEN: scanners offer few parts at registration,
and the pelvis is entered under it.
"""

from __future__ import annotations

import re
import unicodedata

_MAY_SHOW_A_HIP = frozenset(
    {
        "HIP", "HIPS", "HIPJOINT", "PELVIS", "PELVISLOWEREXTREMT", "BONYPELVIS", "FEMUR", "FEMORALNECK", "FEMORALHEAD",
        "NECKOFFEMUR", "HEADOFFEMUR", "FEMURHEAD", "FEMURNECK", "THIGH", "UPPERLEG", "LEG", "LEGS", "LOWEREXTREMITY",
        "LOWERLIMB", "EXTREMITY", "EXTREMITIES", "JOINT", "BONE", "MSK", "SKELETON", "ACETABULUM", "ABDOMEN",
        "ABDOMENPELVIS", "ABDPELVIS", "CHESTABDPELVIS", "WHOLEBODY", "SIJOINT", "SIJOINTS",
        "HUEFTE", "HUFTE", "HUEFTGELENK", "HUFTGELENK", "BECKEN", "OBERSCHENKEL", "HANCHE", "HANCHES", "BASSIN",
        "CUISSE", "CADERA", "CADERAS", "MUSLO", "ANCA", "ANCHE", "BACINO", "COSCIA", "QUADRIL", "BACIA", "COXA",
        "HEUP", "HEUPEN", "BEKKEN", "KALCA", "PELVIK", "BIODRO", "BIODRA", "MIEDNICA", "TAZ",
        "ТАЗ", "БЕДРО", "ТАЗОБЕДРЕННЫИСУСТАВ", "ТАЗОБЕДРЕННЫЕСУСТАВЫ",  # noqa: RUF001
        "髋", "髋关节", "骨盆", "股骨", "股関節", "骨盤", "고관절", "골반",
    }
)  # fmt: skip
_SHOWS_NO_HIP = frozenset(
    {
        "ANKLE", "AORTA", "ARM", "BRAIN", "BREAST", "CALCANEUS", "CALF", "CAROTID", "CERVIX",
        "CHEST", "CLAVICLE", "COCCYX", "COLON", "CSPINE", "CTSPINE", "EAR", "ELBOW", "EYE", "FINGER",
        "FOOT", "FOREARM", "HAND", "HEAD", "HEADNECK", "HEART", "HUMERUS", "IAC", "JAW", "KIDNEY", "KNEE",
        "LARYNX", "LIVER", "LOWERLEG", "LSPINE", "LSSPINE", "LUMBARSPINE", "CERVICALSPINE", "THORACICSPINE",
        "MAXILLA", "MANDIBLE", "MEDIASTINUM", "NECK", "NOSE", "ORBIT", "PANCREAS", "PATELLA", "PHANTOM",
        "PITUITARY", "PROSTATE", "RADIUS", "RECTUM", "SCAPULA", "SELLA", "SHOULDER", "SKULL", "SPINE",
        "SPLEEN", "SSPINE", "STERNUM", "THORAX", "TIBIA", "TLSPINE", "TMJ", "TMJOINT", "TOE", "TSPINE",
        "ULNA", "UTERUS", "WRIST",
        "KNIE", "SCHULTER", "KOPF", "SCHAEDEL", "SCHADEL", "HALS", "WIRBELSAEULE", "WIRBELSAULE", "HWS", "BWS", "LWS",
        "SPRUNGGELENK", "ELLENBOGEN", "FUSS", "GENOU", "EPAULE", "CRANE", "RACHIS", "CHEVILLE", "POIGNET", "RODILLA",
        "HOMBRO", "CRANEO", "COLUMNA", "TOBILLO", "MUNECA", "GINOCCHIO", "SPALLA", "CRANIO", "COLONNA", "CAVIGLIA",
        "JOELHO", "OMBRO", "COLUNA", "TORNOZELO", "SCHOUDER", "WERVELKOLOM", "ENKEL", "DIZ", "OMUZ", "BEYIN",
        "KOLANO", "BARK", "GLOWA", "KREGOSLUP", "КОЛЕНО", "ПЛЕЧО", "ГОЛОВА",
        "膝", "膝关节", "膝関節", "肩", "头", "頭部", "무릎",
    }
)  # fmt: skip
_SIDE = re.compile(
    r"\b(?:L|R|LT|RT|LI|RE|SX|DX|LEFT|RIGHT|LINKS?|RECHTS?|GAUCHE|DROITE?|IZQ\w*|DER\w*|BILAT\w*|BOTH|UNILAT\w*)\b"
)


def coded_body_part(value: str | None) -> str | None:
    """Return the body part as a listed term (upper case, letters only, no side); None where it is unknown."""
    letters = unicodedata.normalize("NFKD", (value or "").upper().replace("\u0141", "L"))
    words = unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", letters))
    for candidate in (words, _SIDE.sub("", re.sub(r"[\W_]+", " ", words))):
        term = re.sub(r"[\W\d_]", "", candidate)
        if term in _MAY_SHOW_A_HIP or term in _SHOWS_NO_HIP:
            return term
    return None


def shows_no_hip(body_part: str | None) -> bool:
    """Tell whether a coded body part rules a hip out."""
    return body_part in _SHOWS_NO_HIP
