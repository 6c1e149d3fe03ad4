"""Small clips made by code, one for each difficulty."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from facedouble.types import Array, Frame, SafeFrame, _Seal


def safe(frame: Frame) -> SafeFrame:
    """A frame that the encoder accepts, without going through the door. Tests of the media layer only."""
    return SafeFrame(_Seal(), frame, False)


def scene(i: int, width: int, height: int) -> Array:
    """RGB (h, w, 3) uint8: a ramp with a bright corner top left and a moving block."""
    y, x = np.mgrid[0:height, 0:width]
    rgb: Array = np.stack([x * 200 // max(width, 1), y * 200 // max(height, 1), np.full_like(x, 60)], -1).astype(np.uint8)
    rgb[: height // 8, : width // 8] = 250
    rgb[height // 2 : height // 2 + 8, (i * 5) % (width - 8) : (i * 5) % (width - 8) + 8] = (20, 240, 20)
    return rgb


def clip(path: Path, width: int = 96, height: int = 64, frames: int = 12, *, codec: str = "libx264", fmt: str = "yuv420p",
         container: str | None = None, pts: Sequence[int] | None = None, base: Fraction = Fraction(1, 25), rotation: int = 0,
         audio: Sequence[tuple[int, float, float]] = (), tags: dict[str, str] | None = None, sar: Fraction | None = None,
         full: bool = False, options: dict[str, str] | None = None) -> Path:
    """Write a clip. audio: (rate, seconds, start) per stream, a tone each."""
    with av.open(str(path), "w", format=container, options={"video_track_timescale": str(base.denominator)}
                 if path.suffix == ".mp4" else {}) as box:
        box.metadata.update(tags or {})
        video: Any = box.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = width, height, fmt
        video.time_base = video.codec_context.time_base = base
        video.codec_context.options = options or {}
        if sar:
            video.codec_context.sample_aspect_ratio = sar
        if full:
            video.codec_context.color_range = 2
        if rotation:
            video.set_display_rotation(rotation)
        sounds: list[tuple[Any, int, float, float]] = []
        for rate, seconds, start in audio:
            stream: Any = box.add_stream("aac" if path.suffix == ".mp4" else "mp2", rate=rate)
            stream.codec_context.layout = "mono"
            stream.time_base = Fraction(1, rate)
            sounds.append((stream, rate, seconds, start))
        for i in range(frames):
            picture = av.VideoFrame.from_ndarray(scene(i, width, height), format="rgb24").reformat(format=fmt)
            if full:
                picture.color_range = 2
            picture.pts, picture.time_base = (pts[i] if pts else round(Fraction(i, 25) / base)), base
            box.mux(video.encode(picture))
        box.mux(video.encode(None))
        for stream, rate, seconds, start in sounds:
            t = np.arange(round(rate * seconds)) / rate
            tone = (0.3 * np.sin(2 * np.pi * 330 * t)).astype(np.float32)[None]
            sound = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = rate, round(start * rate), Fraction(1, rate)
            box.mux(stream.encode(sound))
            box.mux(stream.encode(None))
    return path
