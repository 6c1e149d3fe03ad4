"""What a project costs beside loose files: the same clip rendered by the same plan in both; prints tables.

Each run is a process of its own; its time, and its CPU time with that of its children (the decoding child is one). Runs of
the two kinds alternate, and the smallest of each is told, because other work on the machine only adds. Then: how fast files
are sealed and read.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.clips import scaled  # noqa: E402  found from any folder
from bench.speed import GRAIN, WIDE  # noqa: E402
from facedouble.age.reader import Reader, open_payload  # noqa: E402
from facedouble.age.sealing import Sealer, generate  # noqa: E402

PROGRAM = (sys.executable, "-m", "facedouble")


def spent(folder: Path, *words: str) -> tuple[float, float]:
    """S of a command, and CPU s of it and its children."""
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "XDG_RUNTIME_DIR": str(folder / "run")}
    before, start = os.times(), time.monotonic()
    subprocess.run([*PROGRAM, *words], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    after = os.times()
    return (time.monotonic() - start,
            after.children_user + after.children_system - before.children_user - before.children_system)


def rendered(data: Path, height: int, frames: int, runs: int) -> None:
    """Both kinds, side by side."""
    with tempfile.TemporaryDirectory(prefix="facedouble-bench-") as made:
        folder = Path(made)
        (folder / "run").mkdir(mode=0o700)
        scaled(data / WIDE, folder / "in.mp4", height, frames, GRAIN)
        identity, recipient = generate()
        (folder / "key.id").write_text(identity + "\n")
        spent(folder, "init", "film", "--holder", "one", "--recipient", recipient, "--machine", "warn")
        spent(folder, "unlock", "film", "--identity", "key.id", "--minutes", "600")
        try:
            spent(folder, "add", "film", "in.mp4")
            for plan, clip in (("film.plan.toml", "in.mp4"), ("film/film.plan.toml", "film/footage/in.mp4")):
                analysed = spent(folder, "analyse", clip, "--plan", plan)
                kind = "project" if "/" in plan else "loose"
                print(f"analyse, {kind}: {analysed[0]:.1f} s, CPU {analysed[1]:.1f} s", flush=True)
                spent(folder, "plan", "decide", plan, "P1", "mannequin", "--by", "bench", "--reason", "to measure it")
            found: dict[str, list[tuple[float, float]]] = {"loose": [], "project": []}
            for k in range(runs):
                for kind, base in (("loose", ""), ("project", "film/")):
                    knobs = folder / f"seed{k}.toml"  # another seed, so that no chunk is there already
                    knobs.write_text(f"seed = {k + 1}\n")
                    found[kind].append(spent(folder, "render", f"{base}film.plan.toml", "-o", f"{base}cut{k}", "--no-audit",
                                             "--options", str(knobs)))
        finally:
            spent(folder, "lock", "film")
        best = {kind: [min(column) for column in zip(*rows, strict=True)] for kind, rows in found.items()}
        print(f"\n| render, {frames} frames of {height} lines | s | CPU s |\n|---|---|---|")
        for kind, (wall, cpu) in best.items():
            print(f"| {kind} | {wall:.1f} | {cpu:.1f} |")
        print(f"| project / loose | {best['project'][0] / best['loose'][0]:.3f} | {best['project'][1] / best['loose'][1]:.3f} |")


def sealed(megabytes: int) -> None:
    """How fast an age file is written and read."""
    identity, recipient = generate()
    block = os.urandom(1 << 20)
    with tempfile.TemporaryFile() as file:
        start = time.process_time()
        sealer = Sealer(file, (recipient,))
        for _ in range(megabytes):
            sealer.write(block)
        sealer.close()
        written = time.process_time() - start
        file.seek(0)
        start = time.process_time()
        with Reader(io.BufferedReader(file.raw, 1 << 16), open_payload(file, (identity,))) as reader:
            while reader.read(1 << 20):
                pass
        read = time.process_time() - start
    print(f"\n| age, {megabytes} MiB | MiB a CPU s |\n|---|---|\n| written | {megabytes / written:.0f} |")
    print(f"| read | {megabytes / read:.0f} |")


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller, shorter clip")
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data" / "video")
    given = parser.parse_args()
    rendered(given.data, *((540, 50, 2) if given.quick else (1080, 100, 3)))
    sealed(64 if given.quick else 512)
    return 0


if __name__ == "__main__":
    sys.exit(main())
