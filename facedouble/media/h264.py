"""Safe frames -> coded pictures. A run of them is closed: it begins with an IDR picture, and nothing looks beyond its ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from facedouble.errors import FacedoubleError
from facedouble.media.container import NAL_TYPES
from facedouble.options import EncodeOptions
from facedouble.types import Array, Colour, Frame, MediaInfo, SafeFrame, Value

SEI, IDR = 6, 5  # NAL unit types: messages, which are left out, and a picture from which on nothing earlier is needed
START: Final = b"\x00\x00\x00\x01"


@dataclass(frozen=True)
class Header(Value):
    """What the packets of one film have in common: pixel format, colour, and the parameter sets (SPS, PPS) in their bytes."""

    pixel_format: str
    colour: Colour
    sets: bytes


@dataclass(frozen=True, slots=True)
class Packet(Value):
    """One coded picture, in the order of coding: when it is shown and how long (ticks of the footage), and its NAL units."""

    ticks: int
    span: int
    key: bool
    data: bytes


def configure(context: Any, info: MediaInfo, options: EncodeOptions, pixel_format: str, colour: Colour) -> None:
    """Set up an encoder. Two that are set up alike write the same parameter sets."""
    context.width, context.height = info.width, info.height
    context.pix_fmt = pixel_format
    context.framerate = info.rate
    context.time_base = info.time_base
    context.thread_count = options.threads
    context.color_primaries, context.color_trc = colour.primaries, colour.transfer
    context.colorspace, context.color_range = colour.matrix, 2 if colour.full else 1
    context.sample_aspect_ratio = info.sample_aspect
    context.flags |= av.codec.context.Flags.bitexact | av.codec.context.Flags.global_header
    context.options = {"crf": f"{options.crf:g}", "preset": options.preset, **steady()}
    context.open()


class Coder:
    """`packets = coder.add(safe)`, and at the end `coder.finish()`. Takes nothing but safe frames."""

    def __init__(self, info: MediaInfo, options: EncodeOptions) -> None:
        self.info, self.options = info, options
        self.context: Any = None
        self._begun = False
        self.first = 0
        self._spans: dict[int, int] = {}  # of the frames that are in the encoder, by their ticks
        self._header: Header | None = None

    @property
    def header(self) -> Header:
        """Known from the first frame on."""
        if self._header is None:
            raise FacedoubleError("there was no frame to encode")
        return self._header

    def add(self, safe: SafeFrame) -> list[Packet]:
        """Encode the next frame; what comes out is of earlier ones."""
        if type(safe) is not SafeFrame:
            raise TypeError("the encoder takes only safe frames")
        frame = safe.frame
        if self.context is None:
            self._open(frame)
        if (frame.pixel_format, frame.colour) != (self.header.pixel_format, self.header.colour):
            raise FacedoubleError("frames of one film have to be of one format")
        picture = av.VideoFrame(frame.width, frame.height, frame.pixel_format)
        for plane, samples in zip(picture.planes, frame.planes, strict=True):
            _fill(plane, samples)
        picture.pts, picture.time_base, picture.duration = frame.ticks - self.first, self.info.time_base, frame.span
        picture.pict_type = 0
        picture.colorspace, picture.color_range = frame.colour.matrix, 2 if frame.colour.full else 1
        self._spans[frame.ticks] = frame.span
        return self._packets(self.context.encode(picture))

    def finish(self) -> list[Packet]:
        """What is left in the encoder; every frame has come out then, once."""
        if self.context is None:
            return []
        left = self._packets(self.context.encode(None))
        if self._spans:
            raise FacedoubleError(f"{len(self._spans)} frames did not come out of the encoder")
        return left

    def _open(self, frame: Frame) -> None:
        """The encoder is opened with the first frame, which says the working format."""
        self.context = av.CodecContext.create("libx264", "w")
        configure(self.context, self.info, self.options, frame.pixel_format, frame.colour)
        self._header = Header(frame.pixel_format, frame.colour, bytes(self.context.extradata))
        self.first = frame.ticks  # times start at 0 in every run, so that its bits do not depend on where in the film it is

    def _packets(self, made: list[Any]) -> list[Packet]:
        packets = []
        for packet in made:
            ticks = packet.pts + self.first
            if ticks not in self._spans:
                raise FacedoubleError("the encoder gave a picture that it was not given")
            packets.append(Packet(ticks, self._spans.pop(ticks), bool(packet.is_keyframe), self._kept(bytes(packet))))
        return packets

    def _kept(self, data: bytes) -> bytes:
        """The NAL units that may be in a film; the first picture has to be one that needs no other."""
        kept = []
        for unit in units(data):
            kind = unit[0] & 31
            if kind == SEI:
                continue
            if kind not in NAL_TYPES:
                raise FacedoubleError(f"the encoder gave a NAL unit of type {kind}")
            kept.append(unit)
        if not self._begun and not any(unit[0] & 31 == IDR for unit in kept):
            raise FacedoubleError("the encoder did not begin with a whole picture")
        self._begun = True
        return b"".join(START + unit for unit in kept)


def units(data: bytes) -> Iterator[bytes]:
    """The NAL units of a packet. Start codes are nowhere in them, and none ends in a zero (H.264, 7.4.1 and B.1)."""
    for unit in data.split(START[1:])[1:]:
        yield unit.rstrip(b"\x00")


@cache
def build() -> str:
    """Of which build FFmpeg and x264 are, and how x264 is set up on this machine."""
    return f"{av.__version__} {sorted(av.library_versions.items())} {steady()}"


@cache
def steady() -> dict[str, str]:
    """x264's AVX-512 code reads old memory beyond the picture at some widths, so its bits differ from run to run: measured."""
    try:
        avx512 = "avx512" in Path("/proc/cpuinfo").read_text()
    except OSError:
        avx512 = False
    return {"x264-params": "asm=avx2"} if avx512 else {}


def _fill(plane: Any, samples: Array) -> None:
    target = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    raw = samples.view(np.uint8).reshape(samples.shape[0], -1)
    target[:, : raw.shape[1]] = raw
    target[:, raw.shape[1] :] = 0  # x264 looks at the padding, which would make its bits depend on old memory
