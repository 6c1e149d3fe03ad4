"""CPU and wall time per frame, by stage, beside a plain re-encoding and `deface`, all in the same run. Prints a table.

Clips are made from real ones at several sizes, with grain and without. Every measurement is a process of its own, after a
warm-up that loads what numba has compiled; making a double is measured cold, as a volunteer has it. CPU time counts all threads
and children, also the confined ones that read the footage; on a busy machine believe it, not the wall.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import facedouble  # noqa: E402, F401  before numpy, as in the program itself: it keeps the BLAS to one thread, and from spinning
from bench.clips import looped, scaled, tiled  # noqa: E402  found from any folder, and facedouble from where Python would look first

OUT = HERE / "out"
SIZES, QUICK_SIZES = (360, 512, 720, 1080, 2160), (360, 720)
GRAIN, GRAINY = 2.0, 6.0  # sigma, levels of 255
FOUR = ("sad_a.mp4", "lp_d10.mp4", "vr_1.mp4", "vr_4.mp4")  # square pictures of one face each
SETUP = ("video/lp_d10.mp4", "video/lp_d13.mp4", "photo/df_img7.jpg")
SECONDS = 20.0  # of the clips that doubles are made from
DEFACE_HOME = Path("~/.cache/facedouble-bench/deface").expanduser()
DEFACE_PINS = ("deface==1.5.0", "imageio==2.38.1", "imageio-ffmpeg==0.8.1", "tqdm", "numpy==1.26.4",
               "opencv-python-headless==4.11.0.86", "scikit-image==0.26.0", "lazy-loader", "scipy==1.17.1", "packaging", "pillow",
               "networkx")
DEFACE_START = 2  # frames of a clip that stands for deface's start, whose time is taken off
DEFACE_PIXELS = 20e6  # it is slow: that many pixels of each clip, at least 12 and at most 60 frames
LIMIT = 900  # s a measurement
LOOK, LOOKS_MEMORY = 0.01, 10  # s between looks at the processes that read; every how manieth asks for their memory, too
TICK = os.sysconf("SC_CLK_TCK")
SQUARE = "sad_a.mp4"  # a close-up
WIDE, TALL = "lp_s18.mp4", "lp_d13.mp4"  # one person in a picture of 16:9, and of 9:16
ONLY = ("sizes", "soft", "grainy", "four", "wide", "setup")


@dataclass
class Row:
    """One clip. CPU in ms a frame, memory in MiB; None where it could not be measured."""

    size: str
    frames: int
    megabits: float
    plain_cpu: float
    plain_wall: float
    decode: float
    find: float
    motion: float
    read: float
    draw: float
    encode: float
    cpu: float
    wall: float
    ratio: float
    wall_ratio: float
    memory: float
    plain_memory: float
    doubled: float
    deface_cpu: float | None
    deface_wall: float | None
    deface_note: str


class Readers(threading.Thread):
    """Looks at the confined processes that read footage. The server they are forked from waits for none of them, so that their
    time is in nobody's account.

    spent: CPU seconds of each so far; most: MiB that server and readers had at a time, what is shared counted once.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.spent: dict[int, float] = {}
        self.most, self.looks = 0.0, 0

    def run(self) -> None:
        while True:
            self.look()
            time.sleep(LOOK)

    def look(self) -> None:
        keeper = getattr(sys.modules.get("facedouble.media.apart.keeper"), "keeper", None)  # imports are not for this thread
        server, self.looks = keeper and keeper()._process, self.looks + 1
        if server is None:
            return
        try:
            found = [int(p) for p in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]
            for pid in found:
                words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                self.spent[pid] = max(sum(map(int, words[11:13])) / TICK, self.spent.get(pid, 0.0))
            if self.looks % LOOKS_MEMORY == 0:
                held = [Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1].split()[0] for pid in (server.pid, *found)]
                self.most = max(self.most, sum(map(int, held)) / 1024)
        except (OSError, IndexError):  # one has just ended
            return


READERS = Readers()


def cpu() -> float:
    """CPU seconds of this process, its threads, the children it waited for, and those that read for it."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    READERS.look()
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime + sum(list(READERS.spent.values()))


def peak() -> float:
    """Most resident memory so far, MiB, that of the processes that read included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 + READERS.most


class Clock:
    """CPU seconds by stage. What other threads do meanwhile (the decoder reads ahead) counts for the stage that runs."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    def wrap(self, name: str, call: Callable[..., Any], clock: Callable[[], float] = time.process_time) -> Callable[..., Any]:
        def timed(*args: Any, **more: Any) -> Any:
            began = clock()
            try:
                return call(*args, **more)
            finally:
                self.spent[name] += clock() - began

        return timed

    def wrap_iterator(self, name: str, call: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def timed(*args: Any, **more: Any) -> Iterator[Any]:
            source = call(*args, **more)
            while True:
                began = cpu()
                item = next(source, None)
                self.spent[name] += cpu() - began
                if item is None:
                    return
                yield item

        return timed


def plain(clip: Path, out: Path) -> dict[str, float]:
    """Decode and encode with nothing in between, with the settings of `facedouble.media.encode`."""
    import av

    began, wall = cpu(), time.perf_counter()
    count = 0
    with av.open(str(clip)) as read, av.open(str(out), "w", format="mp4") as write:
        stream = read.streams.video[0]
        stream.thread_type = "AUTO"
        video: Any = write.add_stream("libx264", rate=Fraction(stream.average_rate or 25))
        video.width, video.height, video.pix_fmt = stream.codec_context.width, stream.codec_context.height, "yuv420p"
        video.codec_context.thread_count = 2
        video.options = {"crf": "17", "preset": "fast"}
        for frame in read.decode(stream):
            frame.pict_type = 0
            write.mux(video.encode(frame))
            count += 1
        write.mux(video.encode(None))
    return {"frames": count, "cpu": cpu() - began, "wall": time.perf_counter() - wall, "memory": peak()}


def ours(clip: Path, double: Path, out: Path, warm: Path) -> dict[str, float]:
    """Analyse and render; stages of the analysis by wrapping its calls, drawing and encoding in passes of their own."""
    import facedouble.pipeline.analyse as analysing
    import facedouble.pipeline.render as rendering
    from facedouble.doubles.file import read_double
    from facedouble.media.decode import frames
    from facedouble.media.encode import Writer
    from facedouble.media.probe import probe
    from facedouble.options import Options
    from facedouble.pipeline.protect import open_eyes
    from facedouble.protect.composite import compose
    from facedouble.protect.drive import Performance

    options, performer = Options(), read_double(double)
    eyes = open_eyes(options)
    first = analysing.analyse(probe(warm), eyes, options)
    rendering.render(first, out.with_name("warm.mp4"), performer, rendering.Voice(), options)

    clock = Clock()
    tracked: Any = analysing
    tracked.picture = clock.wrap("find", tracked.picture)
    tracked.detect = clock.wrap("find", tracked.detect)
    tracked.measure = clock.wrap("motion", tracked.measure)
    tracked.small_luma = clock.wrap("motion", tracked.small_luma)
    tracked.sighting = clock.wrap("read", tracked.sighting)
    begun, wall = cpu(), time.perf_counter()
    made = analysing.analyse(probe(clip), eyes, options, read=clock.wrap_iterator("decode", frames))
    rendering.render(made, out, performer, rendering.Voice(), options)
    total, wall, memory = cpu() - begun, time.perf_counter() - wall, peak()

    # apart from the account above: decode alone, draw from memory one frame at a time, encode from memory
    began = cpu()
    held = list(frames(probe(clip)))
    decode = cpu() - began
    casts = [rendering.Cast(r, Performance(r.fit.codes, r.fit.clip, performer) if r.fit is not None else None)
             for r in made.roles]
    began = cpu()
    drawn = [compose(frame, [p for c in casts if (p := c.part(frame.index)) is not None], options.draw, options.seed).safe
             for frame in held]
    draw = cpu() - began
    began = cpu()
    with Writer(out.with_name(f"again-{out.name}"), made.info, options.encode, []) as writer:
        for safe in drawn:
            writer.add(safe)
    encode = cpu() - began
    faces = sum(len(r.weights) for r in made.roles)
    doubled = sum(float((r.weights > 0).sum()) for r in made.roles) / max(faces, 1)
    return {"frames": made.frames, "cpu": total, "wall": wall, "memory": memory, "decode": clock.spent["decode"] + decode,
            "find": clock.spent["find"], "motion": clock.spent["motion"], "read": clock.spent["read"], "draw": draw,
            "encode": encode, "doubled": doubled}


def deface(clip: Path, out: Path) -> dict[str, float]:
    """`deface` as it comes, with OpenCV as its back end."""
    began, wall = cpu(), time.perf_counter()
    program = DEFACE_HOME / "bin" / "deface"
    own = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([str(program), str(clip), "-o", str(out), "--backend", "opencv"], capture_output=True, timeout=LIMIT,
                          env=own)
    if done.returncode or not out.exists():
        raise RuntimeError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    return {"cpu": cpu() - began, "wall": time.perf_counter() - wall,
            "memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}


def install_deface() -> str:
    """Put deface into its own environment, unless it is there; returns what went wrong, or nothing."""
    if (DEFACE_HOME / "bin" / "deface").exists() and not _asked(DEFACE_HOME / "bin" / "deface", "--version"):
        return ""
    try:
        venv.create(DEFACE_HOME, with_pip=True)
        made = subprocess.run([str(DEFACE_HOME / "bin" / "python"), "-m", "pip", "install", "-q", "--no-deps", *DEFACE_PINS],
                              capture_output=True, timeout=LIMIT)
    except (OSError, subprocess.SubprocessError) as error:
        return f"not installed: {type(error).__name__}"
    if made.returncode:
        return f"not installed: {made.stderr.decode(errors='replace').strip().splitlines()[-1]}"
    return _asked(DEFACE_HOME / "bin" / "deface", "--version")


def _asked(*command: str | Path) -> str:
    """What went wrong when the command was run, or nothing."""
    done = subprocess.run([str(c) for c in command], capture_output=True, timeout=LIMIT)
    return "" if done.returncode == 0 else f"does not start: {done.stderr.decode(errors='replace').strip().splitlines()[-1:]}"


def apart(kind: str, *paths: Path) -> dict[str, float]:
    """A measurement in a fresh process."""
    command = [sys.executable, str(Path(__file__).resolve()), "--one", kind, *map(str, paths)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=LIMIT, env={**os.environ, "PYTHONPATH": os.pathsep.join(
        [os.getcwd(), str(HERE.parent)])})
    if done.returncode:
        raise RuntimeError(f"{kind} {paths[0].name}: exit status {done.returncode}")
    told: dict[str, float] = json.loads(done.stdout.decode().strip().splitlines()[-1])
    return told


def bench_double(data: Path) -> Path:
    """The double of lp_d18.mp4, made once."""
    from facedouble.doubles.file import write_double
    from facedouble.options import Options
    from facedouble.pipeline.double import make_double
    from facedouble.pipeline.protect import open_eyes
    from facedouble.types import Consent

    path = OUT / "speed-lp_d18.fdouble"
    if not path.exists():
        consent = Consent("bench", ("test",), "2000-01-01")
        write_double(make_double([data / "video" / "lp_d18.mp4"], consent, open_eyes(Options()), Options()), path)
    return path


def made_double(source: Path, out: Path) -> dict[str, float]:
    """Make a double from nothing loaded to the file written; seconds in all and by step, as CPU time."""
    wall, began = time.perf_counter(), cpu()
    import facedouble.pipeline.double as making
    from facedouble.doubles.file import write_double
    from facedouble.options import Options
    from facedouble.pipeline.protect import open_eyes
    from facedouble.types import Consent

    clock = Clock()
    parts: Any = making
    parts.frames = clock.wrap_iterator("decode", parts.frames)
    parts._largest = clock.wrap("find", parts._largest)
    parts.look = clock.wrap("crop", parts.look)
    parts.reduced = clock.wrap("crop", parts.reduced)
    parts.Pair.marks = clock.wrap("landmarks", parts.Pair.marks)
    parts.capture.select = clock.wrap("choose", parts.capture.select)
    parts.fit_light = clock.wrap("light", parts.fit_light)
    parts.capture.texture = clock.wrap("texture", parts.capture.texture, time.thread_time)  # two at a time
    for name in ("equalise", "assemble"):
        setattr(parts.capture, name, clock.wrap(name, getattr(parts.capture, name)))
    calibrate = clock.wrap("calibrate", parts.calibrate)

    def calibrated(*args: Any) -> Any:
        before = clock.spent["landmarks"]
        found = calibrate(*args)
        clock.spent["landmarks"] = before  # those in there count for it alone
        return found

    parts.calibrate = calibrated
    eyes = open_eyes(Options())
    loaded = cpu() - began
    double = making.make_double([source], Consent("bench", ("test",), "2000-01-01"), eyes, Options())
    begun = cpu()
    write_double(double, out)
    return {"wall": time.perf_counter() - wall, "cpu": cpu() - began, "load": loaded, "write": cpu() - begun, **clock.spent}


def setup(data: Path, folder: Path) -> None:
    """Making doubles: a line each."""
    print("\n| double from | frames | wall s | CPU s | of it |\n|---|---|---|---|---|", flush=True)
    for name in SETUP:
        source, frames = data / name, 1
        if source.suffix == ".mp4":
            source, frames = folder / source.name, looped(source, folder / source.name, SECONDS)
        got = apart("double", source, folder / "made.fdouble")
        (folder / "made.fdouble").unlink(missing_ok=True)
        wall, used = got.pop("wall"), got.pop("cpu")
        steps = ", ".join(f"{k} {v:.1f}" for k, v in sorted(got.items(), key=lambda kv: -kv[1]) if v >= 0.05)
        print(f"| {name} | {frames} | {wall:.1f} | {used:.1f} | {steps} |", flush=True)


@dataclass(frozen=True)
class Case:
    """A clip to measure: its name, how to write so many frames of it to a path, whether deface is measured on it."""

    name: str
    make: Callable[[Path, int], tuple[int, int]]
    deface: bool = False


def cases(only: list[str], sizes: tuple[int, ...], video: Path) -> list[Case]:
    """What is asked for, one row each."""
    source = video / SQUARE

    def at(height: int, grain: float, name: str = source.name) -> Callable[[Path, int], tuple[int, int]]:
        return lambda to, count: scaled(video / name, to, height, count, grain)

    found = [Case("", at(height, GRAIN), True) for height in sizes] if "sizes" in only else []
    if "soft" in only:
        found.append(Case("soft", at(1080, 0.0)))
    if "grainy" in only:
        found.append(Case(f"grain {GRAINY:g}", at(1080, GRAINY)))
    if "four" in only:
        found.append(Case("four faces", lambda to, count: tiled([video / c for c in FOUR], to, 1080, count, GRAIN)))
    if "wide" in only:
        found += [Case("soft", at(1080, 0.0, WIDE)), Case("", at(1080, GRAIN, WIDE), True),
                  Case(f"grain {GRAINY:g}", at(1080, GRAINY, WIDE)), Case("soft", at(2160, 0.0, WIDE)),
                  Case("", at(2160, GRAIN, WIDE), True), Case("soft", at(1080, 0.0, TALL)), Case("", at(1080, GRAIN, TALL), True)]
    return found


def measure(case: Case, source: Path, count: int, double: Path, folder: Path, missing: str) -> Row:
    """All measurements of one clip."""
    clip, warm = folder / "in.mp4", folder / "warm-in.mp4"
    width, high = case.make(clip, count)
    if not warm.exists():
        scaled(source, warm, 256, 12, GRAIN)
    base = apart("plain", clip, folder / "plain.mp4")
    mine = apart("ours", clip, double, folder / "ours.mp4", warm)
    (folder / "warm.mp4").unlink(missing_ok=True)
    other: dict[str, float] | None = None
    note = missing if case.deface else "–"
    if not note:
        short, shorter = folder / "in-d.mp4", folder / "in-d0.mp4"
        shown = int(min(max(DEFACE_PIXELS / (width * high), 12), 60))
        case.make(short, shown + DEFACE_START)
        case.make(shorter, DEFACE_START)
        try:
            a, b = apart("deface", shorter, folder / "d0.mp4"), apart("deface", short, folder / "d.mp4")
            other = {k: (b[k] - a[k]) / shown * 1000 for k in ("cpu", "wall")}
        except (RuntimeError, subprocess.SubprocessError) as error:
            note = f"failed: {error}"
    n = mine["frames"]
    ms = {k: v / n * 1000 for k, v in mine.items()}
    plain_cpu, plain_wall = base["cpu"] / base["frames"] * 1000, base["wall"] / base["frames"] * 1000
    megabits = clip.stat().st_size * 8 / 1e6 / (n / 25)
    for made in folder.glob("*.mp4"):  # the program overwrites nothing
        if made != warm:
            made.unlink()
    title = f"{width} x {high}, {case.name}" if case.name else f"{width} x {high}"
    return Row(title, int(n), megabits, plain_cpu, plain_wall, ms["decode"], ms["find"], ms["motion"],
               ms["read"], ms["draw"], ms["encode"], ms["cpu"], ms["wall"], ms["cpu"] / plain_cpu,
               ms["wall"] / plain_wall, mine["memory"], base["memory"], mine["doubled"],
               other["cpu"] if other else None, other["wall"] if other else None, note)


HEAD = ("| size | plain, CPU ms | decode three times | find | motion | read | draw | encode | **ours, CPU ms** | to plain | "
        "ours, wall ms | fps | to plain | memory, MiB | deface, CPU ms | wall ms | fps |\n" + "|---" * 17 + "|")


def line(r: Row) -> str:
    """A row of the table."""
    if r.deface_cpu is None or r.deface_wall is None:
        theirs = f"{r.deface_note} | | "
    else:
        theirs = f"{r.deface_cpu:.0f} | {r.deface_wall:.0f} | {1000 / r.deface_wall:.2f}"
    return (f"| {r.size} | {r.plain_cpu:.1f} | {r.decode:.1f} | {r.find:.1f} | {r.motion:.1f} | {r.read:.1f} | {r.draw:.1f} | "
            f"{r.encode:.1f} | **{r.cpu:.0f}** | {r.ratio:.1f} | {r.wall:.0f} | {1000 / r.wall:.1f} | {r.wall_ratio:.1f} | "
            f"{r.memory:.0f} | {theirs} |")


def one(kind: str, paths: list[Path]) -> dict[str, float]:
    """One measurement, in this process."""
    READERS.start()
    calls: dict[str, Callable[..., dict[str, float]]] = {"plain": plain, "ours": ours, "deface": deface, "double": made_double}
    return calls[kind](*paths)


def main() -> int:
    """Command line; returns the exit status."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="two sizes, 25 frames, nothing else")
    arguments.add_argument("--only", nargs="+", choices=ONLY, help="sizes: square close-ups; of 1080 px without "
                           "grain, with much grain, four faces; wide: pictures of 16:9 and 9:16; setup: making doubles")
    arguments.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    arguments.add_argument("--double", type=Path, help="a .fdouble; without it one is made from lp_d18.mp4")
    arguments.add_argument("--sizes", type=int, nargs="+", help="shorter sides, px")
    arguments.add_argument("--frames", type=int, help="of each clip")
    arguments.add_argument("--json", type=Path, help="write the rows there")
    arguments.add_argument("--one", nargs="+", metavar="X", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        print(json.dumps(one(given.one[0], [Path(p) for p in given.one[1:]])))
        return 0
    OUT.mkdir(exist_ok=True)
    only = given.only or (["sizes"] if given.quick else list(ONLY))
    missing = install_deface() if {"sizes", "wide"} & set(only) else ""
    double = given.double or bench_double(given.data)
    sizes, count = (QUICK_SIZES, 25) if given.quick else (SIZES, 60)
    sizes, count = given.sizes or sizes, given.frames or count
    todo = cases(only, sizes, given.data / "video")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start", flush=True)
    if todo:
        print(f"{count} frames of {SQUARE}, of wide ones {WIDE} and {TALL}, grain {GRAIN:g} if nothing else is said. Per frame, "
              f"after warm-up; deface on 12 to 60 frames, its start taken off.\n\n{HEAD}", flush=True)
    rows = []
    with tempfile.TemporaryDirectory(dir=OUT) as place:
        for case in todo:
            rows.append(measure(case, given.data / "video" / SQUARE, count, double, Path(place), missing))
            print(line(rows[-1]), flush=True)
            if given.json:
                given.json.write_text(json.dumps([asdict(r) for r in rows], indent=1))
        if "setup" in only:
            setup(given.data, Path(place))
    return 0


if __name__ == "__main__":
    sys.exit(main())
