"""Test clips made from real ones: scaled, cut, with seeded grain, which upscaled footage lacks and which costs bits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

SEED = 7


def scaled(source: Path, destination: Path, height: int, frames: int, grain_sigma: float) -> tuple[int, int]:
    """Write the first `frames` frames as H.264, the shorter side `height` px; returns width and height.

    `grain_sigma` is the sigma of Gaussian luma noise in levels of 255, the same at every run.
    """
    rng = np.random.default_rng(SEED)
    with av.open(str(source)) as read, av.open(str(destination), "w", format="mp4") as write:
        stream = read.streams.video[0]
        factor = height / min(stream.codec_context.width, stream.codec_context.height)
        w, h = (round(s * factor / 2) * 2 for s in (stream.codec_context.width, stream.codec_context.height))
        out: Any = write.add_stream("libx264", rate=Fraction(stream.average_rate or 25))
        out.width, out.height, out.pix_fmt = w, h, "yuv420p"
        out.options = {"crf": "17", "preset": "veryfast"}
        for done, frame in enumerate(read.decode(stream)):
            if done == frames:
                break
            small = frame.reformat(width=w, height=h, format="yuv420p", interpolation="BICUBIC")
            if grain_sigma > 0:
                _add_grain(small, grain_sigma, rng)
            small.pts, small.time_base = done, 1 / Fraction(stream.average_rate or 25)
            small.pict_type = 0
            write.mux(out.encode(small))
        write.mux(out.encode(None))
    return w, h


def _add_grain(frame: Any, sigma: float, rng: np.random.Generator) -> None:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    noise = rng.standard_normal(rows.shape, np.float32) * np.float32(sigma)
    rows[:] = np.clip(rows + noise + 0.5, 0, 255).astype(np.uint8)


def joined(sources: Sequence[Path], destination: Path, frames: int) -> None:
    """Write the first `frames` frames of clips of one size one after the other, as H.264: a film with cuts."""
    with av.open(str(destination), "w", format="mp4") as write:
        out: Any = None
        rate, done = Fraction(25), 0
        for source in sources:
            with av.open(str(source)) as read:
                stream = read.streams.video[0]
                if out is None:
                    rate = Fraction(stream.average_rate or 25)
                    out = write.add_stream("libx264", rate=rate)
                    out.width, out.height, out.pix_fmt = stream.codec_context.width, stream.codec_context.height, "yuv420p"
                    out.options = {"crf": "17", "preset": "veryfast"}
                for frame in islice(read.decode(stream), frames):
                    plain = frame.reformat(width=out.width, height=out.height, format="yuv420p")
                    plain.pts, plain.time_base, plain.pict_type = done, 1 / rate, 0
                    write.mux(out.encode(plain))
                    done += 1
        write.mux(out.encode(None))


def part(source: Path, destination: Path, start: int, count: int) -> None:
    """Write frames start to start + count as H.264, at the size they have."""
    with av.open(str(source)) as read, av.open(str(destination), "w", format="mp4") as write:
        stream = read.streams.video[0]
        rate = Fraction(stream.average_rate or 25)
        out: Any = write.add_stream("libx264", rate=rate)
        out.width, out.height, out.pix_fmt = stream.codec_context.width, stream.codec_context.height, "yuv420p"
        out.options = {"crf": "12", "preset": "veryfast"}
        for done, frame in enumerate(islice(read.decode(stream), start, start + count)):
            plain = frame.reformat(format="yuv420p")
            plain.pts, plain.time_base, plain.pict_type = done, 1 / rate, 0
            write.mux(out.encode(plain))
        write.mux(out.encode(None))


def looped(source: Path, destination: Path, seconds: float) -> int:
    """Write a clip over and over until it is so long, as H.264 at the size it has; returns the number of frames."""
    done = 0
    with av.open(str(destination), "w", format="mp4") as write:
        out: Any = None
        rate, wanted = Fraction(25), 1
        while done < wanted:
            with av.open(str(source)) as read:
                stream = read.streams.video[0]
                if out is None:
                    rate = Fraction(stream.average_rate or 25)
                    wanted = round(seconds * rate)
                    out = write.add_stream("libx264", rate=rate)
                    out.width, out.height, out.pix_fmt = stream.codec_context.width, stream.codec_context.height, "yuv420p"
                    out.options = {"crf": "17", "preset": "veryfast"}
                for frame in islice(read.decode(stream), wanted - done):
                    plain = frame.reformat(format="yuv420p")
                    plain.pts, plain.time_base, plain.pict_type = done, 1 / rate, 0
                    write.mux(out.encode(plain))
                    done += 1
        write.mux(out.encode(None))
    return done


def tiled(sources: Sequence[Path], destination: Path, side: int, frames: int, grain_sigma: float) -> tuple[int, int]:
    """Write the first `frames` frames of four square clips, 2 x 2, as H.264 of `side` x `side` px; returns width and height."""
    rng, half = np.random.default_rng(SEED), side // 4 * 2
    with ExitStack() as stack, av.open(str(destination), "w", format="mp4") as write:
        opened = [stack.enter_context(av.open(str(s))) for s in sources]
        out: Any = write.add_stream("libx264", rate=Fraction(25))
        out.width, out.height, out.pix_fmt = 2 * half, 2 * half, "yuv420p"
        out.options = {"crf": "17", "preset": "veryfast"}
        films = zip(*(f.decode(f.streams.video[0]) for f in opened), strict=False)
        for done, shown in enumerate(islice(films, frames)):
            tiles = [f.reformat(width=half, height=half, format="rgb24", interpolation="BICUBIC").to_ndarray() for f in shown]
            page = np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])
            whole = av.VideoFrame.from_ndarray(page, "rgb24").reformat(format="yuv420p")
            if grain_sigma > 0:
                _add_grain(whole, grain_sigma, rng)
            whole.pts, whole.time_base, whole.pict_type = done, Fraction(1, 25), 0
            write.mux(out.encode(whole))
        write.mux(out.encode(None))
    return 2 * half, 2 * half


def paired(sources: Sequence[Path], destination: Path, width: int, height: int, frames: int) -> None:
    """Write the first `frames` frames of clips side by side, each scaled to the height and cut at both sides, as H.264."""
    share = width // len(sources)
    with ExitStack() as stack, av.open(str(destination), "w", format="mp4") as write:
        opened = [stack.enter_context(av.open(str(s))) for s in sources]
        out: Any = write.add_stream("libx264", rate=Fraction(25))
        out.width, out.height, out.pix_fmt = width, height, "yuv420p"
        out.options = {"crf": "17", "preset": "veryfast"}
        films = zip(*(f.decode(f.streams.video[0]) for f in opened), strict=False)
        for done, shown in enumerate(islice(films, frames)):
            page = []
            for f in shown:
                wide = max(share, round(f.width * height / f.height / 2) * 2)
                tile = f.reformat(width=wide, height=height, format="rgb24", interpolation="BICUBIC").to_ndarray()
                page.append(tile[:, (wide - share) // 2 :][:, :share])
            whole = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.hstack(page)), "rgb24").reformat(format="yuv420p")
            whole.pts, whole.time_base, whole.pict_type = done, Fraction(1, 25), 0
            write.mux(out.encode(whole))
        write.mux(out.encode(None))
