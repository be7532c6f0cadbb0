"""How the loaders bear damaged files: thousands of mutations, each read in a child process.

    python benchmarks/mutate_files.py --count 5000 [--seed 0] [--first 0] [--keep DIR]

Prints the outcomes by kind, the slowest folder and the peak memory. The exit status is 1 if any outcome is neither a
volume nor a reason by name: another exception, a crash, a hang of more than 20 s, a message that tells the patient.
Seed and number repeat a mutation: ``--seed 0 --first 1234 --count 1 --keep DIR`` keeps its files.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.io.mutation_seeds import Files, seed_studies
from tests.io.mutations import mutated
from tests.io.reader_process import Outcome, ReaderProcess


def main() -> int:
    """Run the mutations and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation")
    parser.add_argument("--keep", type=Path, help="folder for the files that failed; all of them with --count 1")
    options = parser.parse_args()
    kinds: Counter[str] = Counter()
    failures = 0
    slowest, peak = (0.0, ""), (0.0, "")
    with tempfile.TemporaryDirectory() as name, ReaderProcess() as reader:
        for number in range(options.first, options.first + options.count):
            what, files = mutated(options.seed, number)
            outcome = read(reader, Path(name) / str(number), files)
            label = f"{number}: {what}"
            kinds.update(set(outcome.kinds) or {"nothing found"} if not outcome.failure else {"FAILURE"})
            slowest = max(slowest, (outcome.seconds, label))
            peak = max(peak, (outcome.peak_mib, label), key=lambda entry: entry[0])
            if outcome.failure:
                failures += 1
                print(f"FAILURE {label}\n    {outcome.failure}", flush=True)
            if options.keep and (outcome.failure or options.count == 1):
                write(options.keep / f"{options.seed}-{number}", files)
    report(kinds, options.count)
    print(f"slowest: {slowest[0]:.2f} s, {slowest[1]}")
    print(f"peak memory: {peak[0]:.0f} MiB, reached at {peak[1]}")
    print(f"{options.count} mutations of {len(seed_studies())} studies, seed {options.seed}: {failures} failures")
    return 1 if failures else 0


def read(reader: ReaderProcess, folder: Path, files: Files) -> Outcome:
    """Write the files, have them read, and remove them."""
    write(folder, files)
    try:
        return reader.read(folder)
    finally:
        shutil.rmtree(folder)


def write(folder: Path, files: Files) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def report(kinds: Counter[str], count: int) -> None:
    """Print how many mutations had each outcome; one study may have several."""
    print("Mutations with this outcome at least once:")
    for kind, number in sorted(kinds.items(), key=lambda entry: (-entry[1], entry[0])):
        print(f"  {number:6d}  {100 * number / count:5.1f} %  {kind}")


if __name__ == "__main__":
    sys.exit(main())
