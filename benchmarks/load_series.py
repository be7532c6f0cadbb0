"""What loading a series costs beside pydicom and highdicom, how long a header scan takes, and the memory it needs.

    python benchmarks/load_series.py [--rounds 9] [--files 2000]

Input: 40 slices of 512 x 512 uint16, a smooth pattern with noise (fixed seed), uncompressed and JPEG-LS; headers carry
some 140 elements, 100 of them private, as scanners write them. All ways of reading take turns in each round; what is
reported is the median over the rounds of the ratio within a round, with its smallest and largest value.

* pydicom: ``dcmread(path).pixel_array`` of each file, scaled into one float32 array in the order of positions.
* highdicom: ``get_volume_from_series`` of the read data sets, float32.
* default decoder: as pydicom, which chooses the JPEG-LS decoder itself.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import highdicom
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, MRImageStorage, generate_uid

from toh_mri.core.config.io import IoConfig
from toh_mri.io import find_studies, read_study

SHAPE = (40, 512, 512)
CONFIG = IoConfig(salt="benchmark")
PRIVATE_ELEMENTS = 100
RESIDENT = """
import sys
from pathlib import Path
from toh_mri.core.config.io import IoConfig
from toh_mri.io import find_studies, read_study
config = IoConfig(salt="benchmark")
read_study(find_studies(sys.argv[1], config)[0], config)  # a small series: imports, caches
def peak():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
def now():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)
Path("/proc/self/clear_refs").write_text("5")
before = now()
study = read_study(find_studies(sys.argv[2], config)[0], config)
print((peak() - before) * 1024 / study.series[0].image.array.nbytes)
"""


def main() -> None:
    """Run every comparison and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--files", type=int, default=2000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = ("pydicom", "highdicom", "imagecodecs", "numpy")
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()},", end=" ")
    print(", ".join(f"{name} {version(name)}" for name in names))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_series(root / "plain", SHAPE)
        write_series(root / "jpegls", SHAPE, compressed=True)
        write_series(root / "small", (8, 64, 64))
        compare_readers(root, options.rounds)
        compare_decoders(root, options.rounds)
        time_scan(root, options.files, options.rounds)
        measure_memory(root)


def compare_readers(root: Path, rounds: int) -> None:
    """Compare with pydicom and highdicom on uncompressed files."""
    plain = root / "plain"
    (index,) = find_studies(plain, CONFIG)
    times = take_turns(
        {
            "load": lambda: read_study(index, CONFIG),
            "scan and load": lambda: read_study(find_studies(plain, CONFIG)[0], CONFIG),
            "pydicom": lambda: read_with_pydicom(plain),
            "highdicom": lambda: read_with_highdicom(plain),
        },
        rounds,
    )
    report("load after the scan / pydicom", ratios(times["load"], times["pydicom"]), "at most 1.2")
    report("scan and load / pydicom", ratios(times["scan and load"], times["pydicom"]), "at most 1.5")
    report("highdicom / load after the scan", ratios(times["highdicom"], times["load"]), "at least 4")
    report("highdicom / scan and load", ratios(times["highdicom"], times["scan and load"]), "")


def compare_decoders(root: Path, rounds: int) -> None:
    """Compare with pydicom's own choice of a JPEG-LS decoder."""
    (index,) = find_studies(root / "jpegls", CONFIG)
    times = take_turns(
        {"load": lambda: read_study(index, CONFIG), "pydicom": lambda: read_with_pydicom(root / "jpegls")}, rounds
    )
    report("JPEG-LS: pydicom's default / load after the scan", ratios(times["pydicom"], times["load"]), "at least 2.5")


def time_scan(root: Path, files: int, rounds: int) -> None:
    """Time the header scan of many small files in 20 series, with and without private elements."""
    for name, private in (("plain headers", 0), (f"{PRIVATE_ELEMENTS} private elements more", PRIVATE_ELEMENTS)):
        folder = root / f"scan {private}"
        for series in range(20):
            write_series(folder / str(series), (files // 20, 64, 64), private_elements=private)
        times = take_turns(
            {
                "scan": lambda folder=folder: find_studies(folder, CONFIG),
                "pydicom": lambda folder=folder: headers(folder),
            },
            max(rounds // 3, 3),
        )
        report(f"header scan of {files} files, {name}, in s", times["scan"], "below 1")
        report("    / pydicom's dcmread(stop_before_pixels=True)", ratios(times["scan"], times["pydicom"]), "")


def measure_memory(root: Path) -> None:
    """Measure what the resident memory of a process of its own rises by (Linux only)."""
    if not Path("/proc/self/clear_refs").exists():
        return
    for name in ("plain", "jpegls"):
        command = [sys.executable, "-c", RESIDENT, str(root / "small"), str(root / name)]
        peaks = [float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]  # noqa: S603
        report(f"peak memory / float32 volume, {name}", peaks, "at most 2.2")


def take_turns(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each way in each round, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            start = perf_counter()
            way()
            if number > 0:
                times[name].append(perf_counter() - start)
    return times


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def report(what: str, values: Sequence[float], goal: str) -> None:
    """Print the median and the range of some figures."""
    spread = f"{min(values):.2f} to {max(values):.2f}, n = {len(values)}"
    print(f"{what:60s} {statistics.median(values):6.2f}  ({spread}){f'  goal: {goal}' if goal else ''}")


def read_with_pydicom(folder: Path) -> NDArray[np.float32]:
    """Read a series as a careful script would."""
    datasets = [pydicom.dcmread(path) for path in folder.iterdir()]
    datasets.sort(key=lambda dataset: dataset.ImagePositionPatient[1])
    volume = np.empty((len(datasets), datasets[0].Rows, datasets[0].Columns), np.float32)
    for index, dataset in enumerate(datasets):
        volume[index] = dataset.pixel_array
        volume[index] *= np.float32(dataset.RescaleSlope)
    return volume


def read_with_highdicom(folder: Path) -> NDArray[np.float32]:
    """Read a series into a highdicom volume."""
    datasets = [pydicom.dcmread(path) for path in folder.iterdir()]
    return highdicom.get_volume_from_series(datasets, dtype=np.float32).array


def headers(folder: Path) -> list[Dataset]:
    """Read every header with pydicom alone."""
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.rglob("*")) if path.is_file()]


def write_series(
    folder: Path, shape: tuple[int, int, int], *, compressed: bool = False, private_elements: int = PRIVATE_ELEMENTS
) -> None:
    """Write a coronal STIR series."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: shape[1], : shape[2]]
    pattern = 700 + 400 * np.sin(rows / 30) * np.cos(columns / 40)
    series = generate_uid()
    for index in range(shape[0]):
        pixels = (pattern + rng.normal(0, 15, shape[1:]) + 10 * index).clip(0, 4095).astype("<u2")
        dataset = describe(index, pixels, series, private_elements)
        if compressed:
            dataset.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
        dataset.save_as(folder / f"{rng.integers(2**62):x}", enforce_file_format=True)


def describe(index: int, pixels: NDArray[np.uint16], series: str, private_elements: int) -> Dataset:
    """Return one slice with the attributes that a scanner gives."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = "1.2.3", series, "1.2.3.4"
    dataset.PatientID, dataset.PatientName, dataset.StudyDate, dataset.Modality = "1", "Nobody", "20200101", "MR"
    dataset.Manufacturer, dataset.SeriesDescription, dataset.BodyPartExamined = "SIEMENS", "t2_tirm_cor", "HIP"
    dataset.ImageType, dataset.ScanningSequence = ["ORIGINAL", "PRIMARY", "M", "ND"], ["SE", "IR"]
    dataset.SequenceVariant, dataset.ScanOptions, dataset.MRAcquisitionType = "SK", "IR", "2D"
    dataset.RepetitionTime, dataset.EchoTime, dataset.InversionTime, dataset.FlipAngle = 4000, 40, 160, 150
    dataset.EchoTrainLength, dataset.MagneticFieldStrength = 9, 1.5
    dataset.SliceThickness, dataset.SpacingBetweenSlices, dataset.PixelSpacing = 4, 4.4, [0.7, 0.7]
    dataset.ImagePositionPatient = [-180, -90 + 4.4 * index, 180]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    dataset.InstanceNumber, dataset.AcquisitionNumber, dataset.SeriesNumber = index + 1, 1, 3
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1.5, 0, "US"
    if private_elements:
        block = dataset.private_block(0x0021, "BENCHMARK", create=True)
        for element in range(private_elements):
            block.add_new(element, "DS", f"{element}.5")
    dataset.PixelData = pixels.tobytes()
    return dataset


if __name__ == "__main__":
    main()
