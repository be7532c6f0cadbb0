# ruff: noqa: RUF001
"""Words alone: names that scanners and technologists really give, by vendor and by language.

Names are after public sources: vendors' protocol lists, the series of published data sets, converters' test files.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toh_mri.core.config.io import IoConfig
from toh_mri.core.study import Acquisition, Contrast, SlicePlane
from toh_mri.io.roles.assign import assign_role
from toh_mri.io.roles.vocabulary import plain
from toh_mri.io.roles.words import DixonPart, names_a_localizer, read_words

T1, T2, PD, STIR = Contrast.T1, Contrast.T2, Contrast.PD, Contrast.STIR
T2FS, PDFS, OTHER = Contrast.T2FS, Contrast.PDFS, Contrast.OTHER
WATER, FAT = Contrast.DIXON_WATER, Contrast.DIXON_FAT

NAMES = {
    "Siemens": {
        "t1_tse_cor": T1,
        "t1_se_cor *se2d1": T1,
        "t1_tse_cor_semac15_hip": T1,
        "t2_tirm_cor_p2 *tir2d1_11": STIR,
        "t2_tirm_cor_320_3mm_pat2": STIR,
        "t2_tse_stir_cor": STIR,
        "StirBLADE cor *tirB2d1_17": STIR,
        "cor *tir2d1_11": STIR,
        "t1_tirm_cor": T1,
        "t2_tirm_tra_dark-fluid_FLAIR": OTHER,
        "pd_tse_fs_tra": PDFS,
        "pd_tse_fs_cor_BOTH": PDFS,
        "pd_tse_cor_fs *tse2d1_7": PDFS,
        "pd_space_fs_cor_cs5_iso": PDFS,
        "pd+t2_tse_fs_tra_knee": PDFS,
        "t2_tse_fs_cor_200mm": T2FS,
        "t2_fs_BLADE_tra": T2FS,
        "t2_BLADE_tra": T2,
        "t2_tse_cor *tseR2d1rr19": T2,
        "cor t2 *tse2d1_15": T2,
        "t2_haste_tra_mbh": T2,
        "t2_tse_dixon_cor_W": WATER,
        "t2_tse_dixon_cor_F": FAT,
        "t2_tse_dixon_cor_opp": OTHER,
        "t2_tse_dixon_cor_in": T2,
        "t1_tse_dixon_cor_in": T1,
        "t1_tse_dixon_cor_W": OTHER,
        "t1_vibe_dixon_tra_p2_W": OTHER,
        "t2_tse_dixon_cor": OTHER,
        "t1_tse_fs_cor_+C": OTHER,
        "t1_vibe_fs_tra_Dynamic": OTHER,
        "t2_me2d_tra GRE": OTHER,
        "t2_de3d_we_cor_iso": OTHER,
        "ep2d_diff_b50_1000_tra_p2_ADC": OTHER,
        "resolve_diff_b50_800_sag": OTHER,
        "angio_twist_cor_iso": OTHER,
        "t1_tse_cor_SUB": OTHER,
        "t1_tse_cor_MPR": OTHER,
    },
    "Philips": {
        "T1W_TSE COR": T1,
        "eT1W_SE": T1,
        "T1W_aTSE": T1,
        "STIR_longTE": STIR,
        "eSTIR_TSE": STIR,
        "eeSTIR_TSE_COR": STIR,
        "PDW_SPAIR": PDFS,
        "ePDW_SPAIR IZQ SENSE": PDFS,
        "T2W_SPAIR": T2FS,
        "eeT2_SPAIR_cor": T2FS,
        "T2W_TSE SPIR": T2FS,
        "PDW_TSE": PD,
        "eT2W_TSE_DRIVE_HR": T2,
        "T2W_mDIXON_TSE W": WATER,
        "T2 mDIXON water": WATER,
        "T2W_mDIXON F": FAT,
        "T2W_mDIXON IP": T2,
        "T2W_mDIXON OP": OTHER,
        "eTHRIVE_BH": OTHER,
        "T1W_SPIR GD": OTHER,
        "3D_mFFE": OTHER,
        "T2W_FFE": OTHER,
        "eFLAIR_longTR_SPIR": OTHER,
    },
    "GE": {
        "COR T1 FSE": T1,
        "Cor T2 frFSE": T2,
        "Ax T2 FSE": T2,
        "Ax FSE STIR": STIR,
        "Ax T2 STIR ASSET": STIR,
        "Ax T2 STIR PROPELLER": STIR,
        "COR FSE-IR": STIR,
        "CORONAL FMPIR": STIR,
        "Ax PD FS": PDFS,
        "Sag PD FSE FS": PDFS,
        "Cor T2 FSE FS_sm_AIRS": T2FS,
        "C12-T2 FSE COR FS, 16 slices": T2FS,
        "WATER: COR T2 FSE Flex": WATER,
        "FAT: COR T2 FSE Flex": FAT,
        "InPhase: COR T2 FSE Flex": T2,
        "OutPhase: COR T2 FSE Flex": OTHER,
        "WATER: Ax T2 FSE-IDEAL": WATER,
        "WATER: COR LAVA": OTHER,
        "Ax LAVA": OTHER,
        "COR T1 flex coil": T1,
        "Ax 2D Merge": OTHER,
        "Ax T1 FLAIR": OTHER,
        "ADC (10-6 mm2/s)": OTHER,
    },
    "Canon, UIH, Hitachi, Esaote": {
        "T1 FSE COR": T1,
        "FSE2D T2 fs": T2FS,
        "PD PASTA COR": PDFS,
        "FastSTIR COR": STIR,
        "STIR FASE": STIR,
        "t1_fse_cor": T1,
        "t2_stir_fse": STIR,
        "stir_fse_cor": STIR,
        "pd_fse_cor_fs": PDFS,
        "pd_mx3d_sag_spair_uCS": PDFS,
        "t2_fse_wfi_cor_W": WATER,
        "t2_fse_wfi_cor_F": FAT,
        "t1_gre_3d_wfi_W": OTHER,
        "C4-T2 REVOLVE COR FS": T2FS,
        "FIR COR": STIR,
        "FSE T1": T1,
        "T2 FSE FatSep W": WATER,
        "SE T1": T1,
        "GE STIR": STIR,
        "T2 XBONE water": WATER,
    },
    "German": {
        "T1 TSE kor": T1,
        "PD TSE fettgesättigt kor": PDFS,
        "T2 TSE Fettsättigung": T2FS,
        "T2 Fettunterdrückung": T2FS,
        "T1 fs nach KM": OTHER,
        "T2 TSE ohne FS": T2,
        "T2 Dixon Wasser": WATER,
    },
    "French": {
        "DP FAT SAT COR": PDFS,
        "COR T2 sat graisse": T2FS,
        "T1 coronal": T1,
        "Densité protonique ax": PD,
        "T2 sans FS": T2,
        "T2 DIXON eau": WATER,
    },
    "Spanish": {
        "SAG DP SAT GRASA": PDFS,
        "Sagital DP SPAIR": PDFS,
        "COR T2 supresión grasa": T2FS,
        "T2 sin supresión": T2,
        "CADERA T1 COR": T1,
        "T1 SPIR con contraste": OTHER,
    },
    "Italian": {"DP fat sat anca dx": PDFS, "T1 cor anca dx": T1, "STIR cor dx": STIR, "T2 sopp. grasso": T2FS},
    "Portuguese": {"DP FS COR QUADRIL": PDFS, "T2 sat gordura": T2FS, "COR T1 quadril esq": T1},
    "Dutch": {"T2 vetsat cor": T2FS, "PD TSE vetonderdrukking": PDFS, "T1 heup cor": T1},
    "Turkish": {"Sag PD yağ baskılı": PDFS, "KORONAL TIRM": STIR, "T2 yağ baskısız": T2, "KALÇA T1 KOR": T1},
    "Polish": {"PD z saturacją tłuszczu": PDFS, "T2 supresja tłuszczu": T2FS, "T1 cor biodro": T1},
    "Russian": {
        "Т1 кор": T1,
        "Т2 с жироподавлением": T2FS,
        "ПД с подавлением жира": PDFS,
        "T2 zhiropodavlenie cor": T2FS,
        "PD без жироподавления": PD,
        "СТИР кор": STIR,
    },
    "Chinese, Japanese, Korean": {
        "冠状T2压脂": T2FS,
        "矢状位 PD 压脂": PDFS,
        "质子加权 脂肪抑制 轴位": PDFS,
        "T1加权 冠状": T1,
        "T2 不压脂": T2,
        "冠状断 STIR": STIR,
        "T2強調 脂肪抑制": T2FS,
        "\uff34\uff11強調 冠状断": T1,  # full-width letters
        "T2 지방억제 관상": T2FS,
        "弥散 DWI": OTHER,
    },
    "Held out: collected after the vocabulary was written": {
        "Ax PD FS Flex": PDFS,
        "3D Ax PD FS Cube (1.5T) / Ax PD FS (3T)": PDFS,
        "Cor PD FSE FS (1.5T) / Cor T2 FS (3T)": PDFS,
        "3D Sag Cube T2": T2,
        "Ax 2D T2* Merge": OTHER,
        "t2_nSTIR_cor": STIR,
        "L_t2_stir_qtse_sag": STIR,
        "SC_MobiView_eSTIR_TSE": STIR,
        "Obl. FSE STIR": STIR,
        "OCor STIR": STIR,
        "T_t1_qtse_sag": T1,
        "C_t2_qtse_tra": T2,
        "t2_tse_SPAIR_tra": T2FS,
        "t1_tse_SPAIR_tra": OTHER,
        "t1_fs_BLADE_tra_320": OTHER,
        "pd_BLADE_fs_tra_320": PDFS,
        "t1_starVIBE_fs_cor": OTHER,
        "t1_starVIBE_opp_tra": OTHER,
        "t1_vibe_opp-In_tra_p4_bh": OTHER,
        "t1_tse_fist_DIXON_tra": OTHER,
        "diffusion_stir_ep2d_tra": OTHER,
        "t2_haste_diff": OTHER,
        "T2StarMap_8echo": OTHER,
        "gre_field_mapping": OTHER,
        "t2_swi3d_tra_p2_2mm": OTHER,
        "t2_fse_flair_tra_fs": OTHER,
        "t1_quick3d_tra_bh": T1,
        "sT1W_3D_TFE_PRE_GD": T1,
        "COR DP FSE": PD,
    },
    "Archives and data sets": {
        "sub-01_ses-2_acq-stir_T2w": STIR,
        "sub-T1_T2w": T2,
        "sub-003_acq-fs_PDw": PDFS,
        "sub_012_T1w": T1,
        "CORPDFS_FBK": PDFS,
        "CORPD_FBK": PD,
        "AXT2": T2,
        "COR_T2FS": T2FS,
        "turboSTIR": STIR,
        "PD non-fs": PD,
        "T1 and T2": OTHER,
        "series 7": OTHER,
        "Stirling hospital": OTHER,
        "": OTHER,
        "FS COR": OTHER,
        "T10 vertebra": OTHER,
    },
}  # fmt: skip


def role(words):
    return assign_role(Acquisition(), SlicePlane.CORONAL, words, IoConfig())


@pytest.mark.parametrize(
    ("words", "expected"),
    [pytest.param(*row, id=f"{group}: {row[0]}") for group, rows in NAMES.items() for row in rows.items()],
)
def test_words_alone(words, expected):
    assert role(words).contrast is expected


@pytest.mark.parametrize(
    "words",
    [
        "3-PLANE LOC", "3-PL T2* LOC", "SSFSE LOC", "3-plane Localizer", "localiser", "localizer_haste_tra",
        "LOCALIZADOR",
        "Localizzatore", "Lokalizer", "Lokalisation", "Repérage", "Übersicht", "AAHip_Scout", "AAHead_Scout", "Scout",
        "Survey", "SURVEY_MobiView", "Plan Scan", "Topogramm", "TOPO", "Smart Exam Hip", "3 plane", "Calibration",
        "ASSET calibration", "Asset cal", "Locator", "FastView", "localizer_TimCT_FastView",
        "локалайзер", "定位像", "位置決め",
        "Coil Sensitivity Map",
    ],
)  # fmt: skip
def test_localizers_by_name(words):
    assert names_a_localizer(words)


@pytest.mark.parametrize(
    "words",
    [
        "COR_T1", "local coil T1", "STIR cor block 2", "allocation", "plantar T2", "SURV", "Ax T2 STIR ASSET",
        "T1 pilot study", "локальная катушка T1",
        "T2W_TSE SmartExam", "colocation", "velocity", "t2_tse_cor 3 planes done", "topography", "",
    ],
)  # fmt: skip
def test_no_localizers_by_name(words):
    assert not names_a_localizer(words)


@pytest.mark.parametrize(
    ("words", "agent"),
    [
        ("t1_tse_fs_cor_+C", True),
        ("T1 GD", True),
        ("T1 nach KM", True),
        ("T1 vor KM", False),
        ("T1 con contraste", True),
        ("T1 sin contraste", False),
        ("T1 non-contrast", False),
        ("T1 post gado", True),
        ("Т1 с контрастом", True),
        ("T1 kontrastlı", True),
        ("T1 kontrastsız", False),
        ("T1 增强", True),
        ("T1 造影", True),
        ("T1 cor", False),
        ("T1 posterior", False),
    ],
)
def test_contrast_agent_in_words(words, agent):
    assert read_words(words).contrast_agent is agent


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("StirBLADE", "stir blade"),
        ("T2wFS_cor", "t2 fs cor"),
        ("CORPDFS", "cor pd fs"),
        ("fettgesättigt", "fettgesattigt"),
        ("冠状T2压脂FS", "冠状 t2 压脂 fs"),
        ("sub-Mueller_ses-1_T1w", "t1"),
        ("T2* gre", "t2* gre"),
    ],
)
def test_words_are_made_comparable(words, same):
    assert plain(words) == same


def test_two_dixon_images_named_at_once_are_none():
    assert read_words("t2 dixon W F").part is DixonPart.UNNAMED
    assert read_words("PD dixon fs").part is DixonPart.WATER


@given(st.text(max_size=80))
def test_any_text_is_read(words):
    """No text breaks the reading, and case or surrounding space never matter to words in capitals."""
    assert read_words(words.upper()) == read_words(f"  {words.upper()} ")
    assert isinstance(names_a_localizer(words), bool)
