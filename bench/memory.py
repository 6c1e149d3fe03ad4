"""Peak memory of `protect` against the length of the film: it has to stay flat. Prints a table; exit 1 if it does not.

    .venv/bin/python bench/memory.py [--quick] [--frames N ...] [--height PX]

The film is the generated witness of `facedouble demo`, looped there and back so that it has no cuts: one face throughout,
which is the most that a film of one person can ask for. Each length is a process of its own.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.demo.script import score  # noqa: E402  found from any folder
from facedouble.demo.witness import animate, portrait_pixels, read_portrait, write_clip  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.protect import Job, open_eyes, protect  # noqa: E402
from facedouble.pipeline.render import Voice  # noqa: E402
from facedouble.types import Frame  # noqa: E402

LENGTHS, QUICK = (2000, 6000, 20000), (2000, 6000)
RATE = Fraction(25)
LOOP = 250  # frames, then the same backwards
STEPS = ("finding faces", "reading faces", "rehearsing", "drawing")
MOST = 2500.0  # bytes a frame


def film(path: Path, frames: int, height: int) -> None:
    """Write the looped witness, `height` px high."""
    portrait = read_portrait(portrait_pixels("astronaut", height), open_eyes(Options()))
    there = list(animate(portrait, score(min(LOOP, frames), float(RATE)), RATE))

    def looped() -> Iterator[Frame]:
        for i, frame in enumerate(islice(cycle(there + there[::-1]), frames)):
            yield replace(frame, index=i, ticks=i)

    write_clip(path, looped(), there[0].width, there[0].height, RATE, [])


def peak() -> int:
    """Most resident memory of this process so far, bytes. `ru_maxrss` would count what its parent had when it was started."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def child(source: Path, destination: Path, double: str) -> None:
    """Protect one film in this process; what was done, and the peak, go to the standard output."""
    peaks: dict[str, int] = {}

    def watch(step: str, *_: object) -> None:
        peaks[step] = peak()

    began = time.perf_counter()
    report = protect(Job(source, destination, double, Voice(), False, "test", dt.date(2026, 11, 21)), Options(), watch)
    print(json.dumps({"doubled": sum(p.doubled for p in report.people), "wall": time.perf_counter() - began, "peaks": peaks,
                      "peak": peak()}))


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"only {' and '.join(map(str, QUICK))} frames")
    parser.add_argument("--frames", type=int, nargs="+", help="these lengths instead")
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--double", default="mannequin")
    parser.add_argument("--film", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.film:
        film(Path(given.film[1]), int(given.film[0]), given.height)
        return 0
    if given.child:
        child(given.child[0], given.child[1], given.double)
        return 0
    found: list[tuple[int, int]] = []
    print(f"| frames | doubled | s | peak, MiB: {' | '.join(STEPS)} | whole process |")
    print("|---" * (len(STEPS) + 4) + "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for frames in sorted(given.frames or (QUICK if given.quick else LENGTHS)):
            source, safe = Path(folder) / f"{frames}.mp4", Path(folder) / f"{frames}-safe.mp4"
            call = [sys.executable, str(Path(__file__)), "--double", given.double, "--height", str(given.height)]
            subprocess.run([*call, "--film", str(frames), str(source)], check=True, capture_output=True)
            done = subprocess.run([*call, "--child", str(source), str(safe)], check=True, capture_output=True, text=True)
            said = json.loads(done.stdout.splitlines()[-1])
            steps = [f"{said['peaks'].get(s, 0) / 2**20:.1f}" for s in STEPS]
            print(f"| {frames} | {said['doubled']} | {said['wall']:.0f} | {' | '.join(steps)} | {said['peak'] / 2**20:.1f} |",
                  flush=True)
            found.append((frames, said["peak"]))
    if len(found) < 2:
        return 0
    (least, low), (most, high) = found[0], found[-1]
    slope = (high - low) / (most - least)
    print(f"\n{slope:.0f} bytes a frame from {least} to {most} frames; at most {MOST:.0f} are wanted.")
    return 1 if slope > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
