"""What the audit costs beside a plain decoding and encoding of the same film at 1080p: prints a table.

Both run in processes of their own; CPU time, children and what reads films for them included. The models are loaded once,
whatever the length, so that the cost of a frame is taken from a longer film less a shorter one, and the start is told beside it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.clips import scaled  # noqa: E402  found from any folder
from bench.speed import GRAIN, TALL, WIDE, apart  # noqa: E402

SERVER, EACH = "facedouble.media.apart.server", 0.03  # of which readers are forks; s between two looks at them
PROGRAM = (sys.executable, "-m", "facedouble")


def spent(*command: str | Path) -> float:
    """CPU s of a process, its children, and those that read films for it; an audit that finds something is told.

    The readers are nobody's to wait for, so that no process is told what they took: they are watched.
    """
    before, readers = os.times(), dict[tuple[int, str], float]()
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=said)
        while done.poll() is None:
            readers |= read_by(done.pid)
            time.sleep(EACH)
        said.seek(0)
        last = said.read().strip().splitlines()[-1:]
    after = os.times()
    if done.returncode:
        print(f"{' '.join(map(str, command[2:4]))}: exit code {done.returncode}: {last}", file=sys.stderr)
    return after.children_user + after.children_system - before.children_user - before.children_system + sum(readers.values())


def read_by(root: int) -> dict[tuple[int, str], float]:
    """CPU s so far of the readers below a process, by number and start."""
    rows = dict[int, list[str]]()  # of proc(5), from the state on
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                rows[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()
    kept = {pid for pid in rows if SERVER in _line(pid)}
    found = {}
    for pid in kept:
        above = int(rows[pid][1])
        if above in kept:
            while above in rows and above != root:
                above = int(rows[above][1])
            if above == root:
                found[pid, rows[pid][19]] = (int(rows[pid][11]) + int(rows[pid][12])) / os.sysconf("SC_CLK_TCK")
    return found


def _line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    return ""


def measure(source: Path, grain: float, frames: tuple[int, int], height: int) -> tuple[float, float, float]:
    """CPU ms a frame of plain coding and of the audit, and CPU s of the audit's start."""
    cost, audits = [], []
    for count in frames:
        with tempfile.TemporaryDirectory(prefix="facedouble-bench-") as folder:
            clip, film = Path(folder, "in.mp4"), Path(folder, "safe.draft.mp4")
            scaled(source, clip, height, count, grain)
            spent(*PROGRAM, "protect", clip, "-o", film, "--no-audit")
            cost.append(apart("plain", clip, Path(folder, "plain.mp4"))["cpu"])
            audits.append(spent(*PROGRAM, "audit", film, "--witness", clip))
    more = frames[1] - frames[0]
    each = (audits[1] - audits[0]) / more * 1000
    return (cost[1] - cost[0]) / more * 1000, each, audits[0] - each * frames[0] / 1000


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one clip, few frames")
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data" / "video")
    given = parser.parse_args()
    frames = (15, 40) if given.quick else (25, 100)
    print("| clip | plain, CPU ms a frame | audit, CPU ms a frame | to plain | start, CPU s |\n|---|---|---|---|---|")
    for name, grain, said in ((WIDE, GRAIN, "1920 x 1080"), *(() if given.quick else (
            (WIDE, 0.0, "1920 x 1080, soft"), (TALL, GRAIN, "1080 x 1920")))):
        plain, audit, start = measure(given.data / name, grain, frames, 1080)
        print(f"| {said} | {plain:.0f} | {audit:.0f} | {audit / plain:.1f} | {start:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
