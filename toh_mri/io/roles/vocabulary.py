"""Words that scanners and technologists use for a series, by language, and how free text is made comparable.

English, German, French, Spanish, Italian, Portuguese, Dutch, Turkish, Polish, Russian, Chinese, Japanese and Korean.
A term is a whole word; a final ``-`` leaves its ending open, a space inside it may be missing. Product names are
those of the vendors' own acronym tables (Siemens MRI Acronyms, 2018; Fujifilm MRI acronym guide, 2024).
"""

from __future__ import annotations

import re
import unicodedata

_EAST_ASIAN = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_LETTER = "a-z\u0430-\u044f"
_NO_ACCENT = {"\u0131": "i", "ł": "l", "ß": "ss", "ø": "o", "æ": "ae"}
_REWRITES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"т(?=[12])", "t"),  # T1 typed on a Cyrillic keyboard
        (f"{_EAST_ASIAN}+", r" \g<0> "),
        (r"\+ ?c(?![a-z])|(?<![a-z])c ?\+", " contrast "),
        (r"[^\w*]+|_+", " "),
        (r"(?<![a-z0-9])([23]d|o?(?:cor|kor|sag|ax|tra))(?=t[12]|pd|dp|stir)", r"\1 "),
        (r"(?<![a-z0-9])(tse|fse|se|e|s)?(t[12])(?:wi?(?![a-z])|w(?=fs|tse|fse|ffe))?(?![0-9*])", r"\1 \2 "),
        (r"(?<![a-z])(pd|dp)w?(?=$|[^a-z]|fs|fat|spa?ir|tse|fse|t2)", r"\1 "),
        (r"(?<![a-z])(tse|fse|se)fs(?![a-z])", r"\1 fs"),
    )
)


def plain(words: str) -> str:
    """Return words in lower case, without accents and punctuation (``*`` stays), one space between them.

    What is written together is taken apart where that shows: ``StirBLADE``, ``T2wFS``, ``CORPDFS``, ``冠状T2压脂``.
    Subject and session of a BIDS name say nothing of the image and are left out.
    """
    line = _without_accents(re.sub(r"(?<![A-Za-z0-9])(?:sub|ses)-[A-Za-z0-9]+", " ", words))
    line = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", line).lower()
    line = "".join(_NO_ACCENT.get(letter, letter) for letter in line)
    for pattern, replacement in _REWRITES:
        line = pattern.sub(replacement, line)
    return " ".join(line.split())


def _without_accents(words: str) -> str:
    parts = unicodedata.normalize("NFKD", words)
    return unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", parts))


def vocabulary(*terms: str) -> re.Pattern[str]:
    """Return a pattern that finds any of these terms in plain words."""
    return re.compile("|".join(_pattern(_without_accents(term)) for term in terms))


def _pattern(term: str) -> str:
    body = re.escape(term.removesuffix("-")).replace(r"\ ", " ?")
    if re.match(_EAST_ASIAN, term):  # no spaces between words in these scripts
        return body
    end = "" if term.endswith("-") else f"(?![{_LETTER}])"
    return f"(?<![{_LETTER}]){body}{end}"


_WITHOUT = ("no", "non", "not", "without", "wo", "w o", "ohne", "sans", "sin", "senza", "sem", "zonder", "bez", "без")
FAT_SUPPRESSION = vocabulary(
    "fs", "fsat", "fat sat-", "fat sup-", "fat free", "fatsup-", "sat fat", "spair", "spir", "aspir", "chess", "pasta",
    "msoft", "proset", "wats", "we", "water exc-", "water sel-",
    "fett ges-", "fett sat-", "fett supp-", "fett unter-", "graisse-", "grasa-", "grasso", "gord-", "gordura",
    "vet ond-", "vet sat-", "vet supp-", "vet verz-", "yag bask-", "yag sat-", "yag supr-", "tluszcz-",
    "жироподав-", "подавл-", "жира", "жп", "zhiropod-", "podavl-",
    "压脂", "抑脂", "脂抑", "壓脂", "脂肪抑制", "脂肪饱和", "脂肪飽和", "지방억제", "지방 억제",
)  # fmt: skip
NO_FAT_SUPPRESSION = vocabulary(
    *(
        f"{no} {fat}"
        for no in _WITHOUT
        for fat in ("fs", "fat s-", "sat-", "sup-", "fett-", "graisse", "grasa", "жиропод-", "подавл-", "жп")
    ),
    "nfs", "yag baskisiz", "fs off", "不压脂", "非压脂", "无压脂", "未压脂",
)  # fmt: skip
# Gradient-echo volumes that are made with fat suppression unless they say otherwise.
SUPPRESSED_T1_VOLUME = vocabulary("thrive", "lava", "vibrant", "bliss")
T1_VOLUME = vocabulary("vibe", "thrive", "lava", "vibrant", "bliss", "mprage", "bravo", "tigre", "quick 3d", "rssg")

SHORT_INVERSION = vocabulary("stir", "turbo stir", "fast stir", "tse stir", "fse stir", "estir", "stirblade", "стир")
INVERSION = vocabulary(
    "tirm", "tir", "tir2d-", "tir3d-", "fir", "ir", "ir tse", "ir fse", "tse ir", "fse ir", "fs ir", "fmpir", "mpir",
    "fast ir",
)  # fmt: skip

T1 = re.compile(r"(?<![a-z])t1(?![a-z0-9])")
T2 = re.compile(r"(?<![a-z])t2(?![a-z0-9])")
PROTON_DENSITY = vocabulary(
    "pd", "dp", "proton-", "prot dens-", "dens prot-", "densit-", "densid-", "iw", "intermed-", "пд", "протон-",
    "质子", "質子", "プロトン",
)  # fmt: skip

DIXON = vocabulary("dixon", "mdixon", "wfi", "wfs", "fat sep-", "x bone", "水脂分离")
DIXON_WHERE_A_PART_IS_NAMED = vocabulary("ideal", "flex")  # a coil may be called Flex
WATER = re.compile(
    r"(?<![a-z])w(?![a-z]| o(?![a-z])| wo| con| gd)|(?<![a-z])water(?! ?(?:exc|sel|sat|sup))|水像"
    r"|(?<![a-z])(?:wasser|eau|agua|acqua|woda)(?![a-z])"
)
FAT = re.compile(
    r"(?<![a-z])f(?![a-z])|(?<![a-z])fat(?! ?(?:sat|sup|sep|free|frac)|[a-z])|脂像"
    r"|(?<![a-z])(?:fett|graisse|grasa|grasso|gordura|vet)(?![a-z])"
)
IN_PHASE = vocabulary("in", "ip", "in phase", "in ph", "同相", "同相位")
OPPOSED_PHASE = vocabulary("op", "opp", "opp phase", "opposed-", "out", "out phase", "out ph", "oop", "反相", "反相位")
OPPOSED_BY_ITSELF = vocabulary("opp", "opp phase", "opposed-", "out phase", "out of phase", "oop", "反相", "反相位")

# Why a series is none of the contrasts used here.
NO_CONTRAST = {
    "fluid-attenuated inversion recovery": vocabulary("flair", "dark fluid", "darkfluid", "t2flair", "t1flair"),
    "diffusion or echo-planar": vocabulary(
        "dwi", "dti", "dwibs", "diff", "diffus-", "difus-", "dyfuz-", "диффуз-", "adc", "eadc", "trace", "ivim",
        "resolve", "reveal", "ep2d-", "epi", "弥散", "扩散", "拡散", "확산",
    ),
    "a T2*-weighted or steady-state gradient echo": re.compile(
        r"t2 ?\*(?![a-z])|t2 ?star(?![a-z])"
        r"|(?<![a-z])(?:medic|merge|m ?ffe|me[23]d\w*|de3d\w*|dess|ciss|ci3d\w*|true ?fisp|trufi|fisp|psif|fiesta"
        r"|b ?ffe|b ?tfe|cosmic|swan|swi|ssfp|bssfp|basg|pbsg|trsg)(?![a-z])"
    ),
    "angiography": vocabulary("tof", "mra", "angio-", "twist", "tricks", "血管"),
    "a parameter map": re.compile(
        r"(?<![a-z])(?:map|maps|mapp?ing|mapa|mapit|cartigram|pdff|ff|fat ?frac\w*|t[12] ?rho|field ?map|b[01])"
        r"(?![a-z])"
    ),
    "a b-value image": re.compile(r"(?<![a-z])b ?[1-9][0-9]{0,2}0(?![0-9])"),
    "a subtraction": re.compile(r"(?<![a-z])(?:subs?(?![a-z]| ?[0-9])|subtra)|剪影|减影"),
    "a reformatted or projected copy": vocabulary("mpr", "mip", "minip", "min ip", "reformat-", "vrt"),
    "a dynamic or perfusion series": vocabulary("dyn", "dynam-", "dinam-", "dce", "perf", "perfus-", "bold", "fmri"),
    "spectroscopy": vocabulary("svs", "csi", "spectro-"),
    "ultrashort echo time": vocabulary("ute", "zte", "petra"),
}  # fmt: skip
GRADIENT_ECHO = vocabulary("gre", "ffe", "fgre", "sarge", "field echo", "gradient echo")

_AGENTS = ("contrast-", "kontrast-", "контраст-", "gd", "gado-", "km", "mdc", "civ", "ce", "c", "inj-")
CONTRAST_AGENT = vocabulary(*_AGENTS, "post iv", "post inj-", "enhanced", "增强", "增強", "造影", "조영")
NO_CONTRAST_AGENT = vocabulary(
    *(f"{no} {agent}" for no in (*_WITHOUT, "pre", "vor", "avant", "prima", "przed", "до") for agent in _AGENTS),
    "kontrastsiz", "平扫", "非造影",
)  # fmt: skip

LOCALIZER = vocabulary(
    "loc", "locs", "localiz-", "localis-", "lokaliz-", "lokalis-", "locator", "scout-", "aascout", "aahscout", "survey",
    "surview", "reperage", "scano", "scanogr-", "plan scan", "topogram-", "centratura", "calib-", "kalibr-",
    "asset cal-", "array cal-", "coil sens-", "sense ref-", "ref scan", "prescan", "fast view",
    "локалайзер-", "локализатор-", "топограм-", "разметк-", "定位", "位置決め", "위치",
)  # fmt: skip
# Words that also stand in the name of diagnostic series.
PERHAPS_LOCALIZER = vocabulary(
    "pilot", "smart exam", "smart brain", "smart knee", "smart spine", "smart hip", "ubersicht-", "uebersicht-",
    "overzicht-", "topo", "3 plane", "3 pl", "three plane", "tri plane", "shim", "asset", "auto align", "планир-",
)  # fmt: skip
