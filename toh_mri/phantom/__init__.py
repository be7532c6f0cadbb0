"""The project's own digital hip: seeded, with exact truth and real MR contrast.

A case goes through five rooms, each of which knows only those before it:

=============  ==========================================================================================
anatomy        `person`, `anatomy`: sizes drawn from published distributions, bones and soft tissues as
               signed distance fields in patient coordinates
disease        `disease`, made of `edema`, `necrosis`, `fracture`, `arthropathy`, `replacement`, `deformity`:
               fields over the hip; `course`: what becomes of them from visit to visit
signal         `tissues`, `signal`: two pools, spin-echo and inversion-recovery equations, 1.5 and 3 T
acquisition    `protocol`, `painting`, `scanner`: prescription, partial volume, k-space, coils, noise
writing        `nifti`, `dicom`, `truth`: studies as they leave an archive, and the truth beside them
cohort         `cohort`: many cases from one seed
=============  ==========================================================================================

It imports nothing of the pipeline and is not made to please it. Synthetic all the same: a figure measured on
it says so.
"""

from toh_mri.phantom.case import PhantomCase, make_case
from toh_mri.phantom.cohort import CaseDone, CaseFormat, CasePlan, plan_cohort, write_cohort
from toh_mri.phantom.course import Visit
from toh_mri.phantom.dicom import write_dicom_case
from toh_mri.phantom.disease import Disease
from toh_mri.phantom.examination import PhantomSeries
from toh_mri.phantom.nifti import write_nifti_case
from toh_mri.phantom.protocol import Difficulty

__all__ = [
    "CaseDone",
    "CaseFormat",
    "CasePlan",
    "Difficulty",
    "Disease",
    "PhantomCase",
    "PhantomSeries",
    "Visit",
    "make_case",
    "plan_cohort",
    "write_cohort",
    "write_dicom_case",
    "write_nifti_case",
]
