"""Media changed on purpose, each read as the program reads footage, recordings and photos. Prints a table; exit 1 on a failure.

    .venv/bin/python bench/fuzz.py [--count 10000] [--first 0] [--workers 2] [--strace 20] [--keep FOLDER]

A failure: the reading process falls or raises what no user is told, a file beside the mutant is opened, or a child opens
anything at all (seen by strace on a sample). A child that dies or stands still is counted; its file is refused.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.mutants import FILM, PHOTO, SOUND, mutant, seeds  # noqa: E402  found from any folder
from facedouble.errors import FacedoubleError, InputRefused  # noqa: E402
from facedouble.media import cross  # noqa: E402
from facedouble.media.again import Marking  # noqa: E402
from facedouble.media.apart.reading import Broken, layers  # noqa: E402
from facedouble.media.decode import frames, packet_times, photo  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.media.recording import blocks, recording  # noqa: E402
from facedouble.media.sound import pcm, sample_count  # noqa: E402
from facedouble.media.takes import read_sound  # noqa: E402

ENDS = ("accepted", "damaged", "refused", "child died", "child stuck", "child lied", "parent failed")
BLOCK = 50  # mutants that a worker takes at once
IN_OPEN = 0x20


@dataclass(frozen=True)
class Outcome:
    """How one file was read."""

    number: int
    seed: str
    change: str
    end: str
    words: str
    seconds: float


def film(path: Path) -> bool:
    """Read a film as a run does; whether something in it is damaged."""
    info = probe(path)
    marks, damaged = Marking(), False
    for frame in frames(info):
        marks.add(frame)
        damaged |= frame.corrupt
    ticks = packet_times(info)
    if len(ticks) > 4:
        try:
            for frame in frames(info, ticks[len(ticks) // 2]):
                damaged |= frame.corrupt
        except InputRefused as error:  # there need not be anything to seek, as `media/again.py` knows
            if isinstance(error, Broken):
                raise
    for sound in info.audio:
        heard = sum(len(block) for block in pcm(info, sound.index))
        if heard != sample_count(info, sound.index):
            raise AssertionError(f"{heard} samples, counted {sample_count(info, sound.index)}")
    cross.reading(path, decode=False)
    return damaged or len(marks.done()) != 8


def sound(path: Path) -> bool:
    """Read a recording, as a take and as a voice, which knows fewer kinds."""
    heard = len(read_sound(path)[0])
    if path.suffix != ".caf":
        heard = min(heard, sum(len(block) for block in blocks(recording(path))))
    return heard < 9600


def picture(path: Path) -> bool:
    """Read a photo."""
    return photo(path).shape[2] != 3


def ended(path: Path, seed: str) -> tuple[str, str]:
    """Read a file as what it was made from; one of the ends, and what was said."""
    read = {**dict.fromkeys(FILM, film), **dict.fromkeys(SOUND, sound), **dict.fromkeys(PHOTO, picture)}[seed]
    try:
        return ENDS[read(path)], ""
    except Broken as error:
        return f"child {error.how}", str(error)
    except FacedoubleError as error:
        return "refused", str(error)
    except Exception:
        return "parent failed", traceback.format_exc()


def outcome(number: int, made: dict[str, bytes], work: Path, canary: Path, keep: Path | None) -> Outcome:
    """Make a mutant and read it."""
    seed, change, data = mutant(number, made, canary)
    path = work / f"{number}-{seed}"
    path.write_bytes(data)
    begun = time.perf_counter()
    end, words = ended(path, seed)
    if keep is not None and end not in ENDS[:3]:
        shutil.copy(path, keep / path.name)
    path.unlink()
    return Outcome(number, seed, change, end, words.replace(str(path), "X"), time.perf_counter() - begun)


def several(numbers: range, folder: Path, keep: Path | None) -> list[Outcome]:
    """A worker's share."""
    made = {path.name: path.read_bytes() for path in (folder / "seeds" / name for name in (*FILM, *SOUND, *PHOTO))}
    return [outcome(n, made, folder / "work", folder / "beside" / "canary.mp4", keep) for n in numbers]


@contextmanager
def watched(file: Path) -> Iterator[list[int]]:
    """While this lasts, see whether a file is opened; the list has an entry then."""
    libc = ctypes.CDLL(None, use_errno=True)
    eye = libc.inotify_init1(os.O_NONBLOCK)
    libc.inotify_add_watch(eye, str(file).encode(), IN_OPEN)
    seen: list[int] = []
    yield seen
    try:
        seen.append(len(os.read(eye, 4096)))
    except BlockingIOError:
        pass
    finally:
        os.close(eye)


def straced(count: int, first: int) -> tuple[int, int, list[str]]:
    """Read some mutants under strace: children that were confined, calls that were refused, calls that opened something."""
    with tempfile.TemporaryDirectory() as place:
        log = Path(place) / "log"
        subprocess.run(["strace", "-f", "-qq", "-o", str(log), "-e", "trace=open,openat,openat2,socket,execve,connect,prctl",
                        sys.executable, str(HERE / "fuzz.py"), "--count", str(count), "--first", str(first), "--workers", "0"],
                       check=True, stdout=subprocess.DEVNULL)
        confined, refused, opened = set[str](), 0, []
        for line in log.read_text(errors="replace").splitlines():
            pid, _, call = line.partition(" ")
            if "PR_SET_SECCOMP" in call and call.rstrip().endswith("= 0"):
                confined.add(pid)
            elif pid in confined and re.match(r"\s*(open|socket|execve|connect)", call):
                if re.search(r"= -1 \w+", call):
                    refused += 1
                else:
                    opened.append(line)
    return len(confined), refused, opened


def run(count: int, first: int, workers: int, folder: Path, keep: Path | None) -> Iterator[Outcome]:
    """All mutants, read by processes of which each stands for the program."""
    shares = [range(a, min(a + BLOCK, first + count)) for a in range(first, first + count, BLOCK)]
    if not workers:
        for share in shares:
            yield from several(share, folder, keep)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        asked = {pool.submit(several, share, folder, keep): share for share in shares}
        for done in as_completed(asked):
            try:
                yield from done.result()
            except BrokenProcessPool:
                yield Outcome(asked[done][0], "?", "?", "parent failed", f"a process fell in {asked[done]}", 0.0)


def table(outcomes: list[Outcome]) -> str:
    """Ends by kind of file, as Markdown."""
    kinds = {**{n: f"film {n.split('.')[1]}" for n in FILM}, **{n: f"sound {n.split('.')[1]}" for n in SOUND},
             **{n: f"photo {n.split('.')[1]}" for n in PHOTO}}
    rows = Counter((kinds.get(o.seed, o.seed), o.end) for o in outcomes)
    lines = [f"| file | {' | '.join(ENDS)} |", "|---" * (len(ENDS) + 1) + "|"]
    for kind in (*dict.fromkeys(kinds.values()), "all"):
        numbers = [sum(n for (k, e), n in rows.items() if e == end and kind in (k, "all")) for end in ENDS]
        lines.append(f"| {kind} | {' | '.join(map(str, numbers))} |")
    return "\n".join(lines)


def main() -> int:
    """Make, read, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=max(len(os.sched_getaffinity(0)), 1))
    parser.add_argument("--strace", type=int, default=0, help="so many more are read under strace")
    parser.add_argument("--keep", type=Path, help="where files that broke a child are kept")
    given = parser.parse_args()
    begun, outcomes = time.perf_counter(), []
    if given.keep:
        given.keep.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = seeds(folder / "seeds")
        for name in ("work", "beside"):
            (folder / name).mkdir()
        for canary in (folder / "beside" / "canary.mp4", folder / "work" / "canary.mp4"):
            canary.write_bytes(made["h264.mp4"])
        with watched(folder / "beside" / "canary.mp4") as far, watched(folder / "work" / "canary.mp4") as near:
            for n, one in enumerate(run(given.count, given.first, given.workers, folder, given.keep), 1):
                outcomes.append(one)
                if one.end not in ENDS[:3]:
                    print(f"{one.number} {one.seed} {one.change}: {one.end}, {one.seconds:.1f} s\n{one.words}", flush=True)
                elif n % 1000 == 0:
                    print(f"{n} read after {time.perf_counter() - begun:.0f} s", flush=True)
    failed = sum(one.end == ENDS[-1] for one in outcomes)
    print(f"\n{len(outcomes)} mutants of {len(made)} files in {time.perf_counter() - begun:.0f} s; "
          f"layers: {', '.join(layers().means)}")
    slowest = max(outcomes, key=lambda one: one.seconds)
    print(f"parents that failed: {failed}; canaries opened: {len(far) + len(near)}; slowest: {slowest.seconds:.1f} s "
          f"(number {slowest.number}, {slowest.seed}, {slowest.change})\n\n{table(outcomes)}")
    if given.strace:
        confined, refused, opened = straced(given.strace, given.first)
        print(f"\nstrace of {given.strace}: {confined} confined children, {refused} calls refused, {len(opened)} that opened "
              "something")
        print("\n".join(opened[:20]))
        failed += len(opened) + (confined == 0)
    return int(bool(failed or far or near))


if __name__ == "__main__":
    sys.exit(main())
