"""Loaders: DICOM and NIfTI in, studies out, and the NIfTI files this program writes.

DICOM and RAS end here: everything behind this room is [slice, row, column] in LPS mm.
"""

from toh_mri.io.identifiers import Pseudonyms, pseudonyms, salt_of
from toh_mri.io.studies import find_studies, index_study, load_study, read_study
from toh_mri.io.volumes.nifti import read_nifti, write_nifti

__all__ = [
    "Pseudonyms",
    "find_studies",
    "index_study",
    "load_study",
    "pseudonyms",
    "read_nifti",
    "read_study",
    "salt_of",
    "write_nifti",
]
