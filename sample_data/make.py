"""Make the packaged sample studies anew: ``python sample_data/make.py [FOLDER]`` (this folder by default)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from toh_mri.core.study import Contrast, SlicePlane
from toh_mri.geometry import Side
from toh_mri.phantom import Disease, PhantomCase, make_case, write_dicom_case, write_nifti_case

CORONAL = ((SlicePlane.CORONAL, Contrast.T1), (SlicePlane.CORONAL, Contrast.STIR))


def toh_right() -> PhantomCase:
    """Right hip, 1.5 T: diffuse edema of the head that fades into the neck, effusion, no line."""
    contrasts = (*CORONAL, (SlicePlane.SAGITTAL, Contrast.PDFS))
    return make_case(31, Disease.TOH, side=Side.RIGHT, contrasts=contrasts)


def on_left() -> PhantomCase:
    """Left hip, 3 T: a geographic lesion in the anterosuperior head, bounded by a serpiginous band."""
    return make_case(22, Disease.ON, side=Side.LEFT, field_strength_t=3.0, contrasts=CORONAL)


def normal_both() -> PhantomCase:
    """Both hips, 1.5 T, large field of view: nothing wrong, some red marrow."""
    return make_case(5, Disease.NORMAL, side=Side.LEFT, bilateral=True, contrasts=CORONAL)


STUDIES: dict[str, tuple[Callable[[], PhantomCase], Callable[[PhantomCase, Path], None]]] = {
    "toh_right": (toh_right, write_nifti_case),
    "on_left": (on_left, write_dicom_case),
    "normal_both": (normal_both, write_nifti_case),
}


def main(folder: Path) -> None:
    """Write all studies below a folder."""
    for name, (make, write) in STUDIES.items():
        write(make(), folder / name)
        print(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
