"""Reading footage apart against reading it in the same process: time and processor, for a film and a look. Prints a table.

    .venv/bin/python bench/apart.py [--quick]

The films are moving noise over a ramp, H.264, made once. "work" is what is done to each frame while the child reads ahead:
nothing, or 20 ms of one core, far less than `protect` takes. The times are medians; processor is of this process and the child.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.media.apart.keeper import keeper  # noqa: E402  found from any folder
from facedouble.media.decode import frames, packet_times  # noqa: E402
from facedouble.media.inside.pictures import pictures, times  # noqa: E402
from facedouble.media.inside.piece import Piece  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.types import Frame, MediaInfo  # noqa: E402

SIZES = ((1920, 1080), (640, 360))
WORK = (0.0, 0.020)  # s of work on each frame
TICK = os.sysconf("SC_CLK_TCK")
CHILD = [0.0]  # s of processor of the child, when it was looked at last


def film(path: Path, width: int, height: int, count: int) -> MediaInfo:
    """A film with some noise in it, at about the rate of a camera's file."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width]
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        grain = cv2.resize(rng.integers(0, 25, (height // 2, width // 2), np.uint8), (width, height))
        for i in range(count):
            rgb = np.stack([(x + 5 * i) % 200, (y + 3 * i) % 200, np.full_like(x, 60)], -1).astype(np.uint8)
            rgb += np.roll(grain, (7 * i, 11 * i), (0, 1))[..., None]
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            picture.pts, picture.time_base = i, Fraction(1, 25)
            box.mux(stream.encode(picture))
        box.mux(stream.encode(None))
    return probe(path)


def here(info: MediaInfo) -> Generator[Frame, None, None]:
    """The frames, read in this process: the job that the child runs."""
    given = {"demuxer": info.container, "width": info.width, "height": info.height, "rotation": info.rotation, "seek": None,
             "rate": info.rate.as_integer_ratio(), "base": info.time_base.as_integer_ratio(), "room": 1 << 30}
    with open(info.path, "rb") as file:
        for n, piece in enumerate(filter(None, pictures(file, given))):
            planes = tuple(np.array(plane, order="C") for plane in piece.arrays)
            yield Frame(n, piece.head["ticks"], piece.head["span"], info.time_base, planes, piece.head["format"], info.colour)


def here_times(info: MediaInfo) -> int:
    """The times of the packets, read in this process."""
    with open(info.path, "rb") as file:
        return sum(p.arrays[0].size for p in times(file, {"demuxer": info.container, "room": 1 << 20}) if isinstance(p, Piece))


def first_of(read: Callable[[MediaInfo], Generator[Frame, None, None]], info: MediaInfo) -> None:
    """Take one frame."""
    with closing(read(info)) as found:
        next(found)


def all_of(read: Callable[[MediaInfo], Generator[Frame, None, None]], info: MediaInfo, work: float) -> None:
    """Take every frame, look at it, and work."""
    for frame in read(info):
        frame.planes[0][::16, ::16].sum()
        CHILD[0] = max(children(), CHILD[0])
        last = time.thread_time() + work
        while work and time.thread_time() < last:
            pass


def children() -> float:
    """Seconds of processor of the child that is at work, if there is one."""
    server = keeper()._process
    if server is None:
        return 0.0
    try:
        pid = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()[0]
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError):
        return 0.0
    return sum(map(int, words[11:13])) / TICK


def measured(run: Callable[[], object], times_: int) -> tuple[float, float]:
    """Median seconds of the clock and of the processor."""
    found = []
    for _ in range(times_):
        CHILD[0] = 0.0
        clock, spent = time.perf_counter(), time.process_time()
        run()
        found.append((time.perf_counter() - clock, time.process_time() - spent + CHILD[0]))
    return statistics.median(a for a, _ in found), statistics.median(b for _, b in found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    count, again = (50, 3) if parser.parse_args().quick else (250, 5)
    print("| what | here, s | apart, s | ratio | here, s of processor | apart | ratio |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for width, height in SIZES:
            info = film(Path(place) / f"{height}.mp4", width, height, count)
            rows: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
                (f"{count} frames {width} x {height}, {1000 * w:.0f} ms of work each", partial(all_of, here, info, w),
                 partial(all_of, frames, info, w)) for w in WORK]
            rows.append(("times of its packets", partial(here_times, info), partial(packet_times, info)))
            rows.append(("its first frame", partial(first_of, here, info), partial(first_of, frames, info)))
            for what, one, other in rows:
                (a, b), (c, d) = measured(one, again), measured(other, again)
                spent = f"{b:.3f} | {d:.3f} | {d / b:.2f}" if CHILD[0] else "| | "
                print(f"| {what} | {a:.3f} | {c:.3f} | {c / a:.2f} | {spent} |", flush=True)


if __name__ == "__main__":
    main()
