"""Safe frames and samples -> a new MP4, rebuilt from nothing. It appears when whole and checked, or not at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from heapq import heappop, heappush
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
import numpy as np

from facedouble.errors import FacedoubleError, StoreError
from facedouble.media.container import walked
from facedouble.media.destination import destination
from facedouble.media.h264 import Coder, Header, Packet, configure
from facedouble.media.sound import silence_blocks
from facedouble.options import EncodeOptions
from facedouble.types import Floats, MediaInfo, SafeFrame

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
AHEAD = Fraction(1, 2)  # s of sound that may run ahead of the picture
AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}

Sound = tuple[int, int, Fraction, Iterator[Floats]]
"""(sample rate, channels, start in seconds, blocks (N, C))"""


class _Track:
    """One sound stream on its way: blocks in, packets out, kept level with the picture."""

    def __init__(self, stream: Any, rate: int, channels: int, start: Fraction, blocks: Iterator[Floats], layout: str) -> None:
        # a late start becomes silence: an edit list would show the encoder's priming and shift the sound by it
        lead = silence_blocks(round(start * rate), channels)
        self.stream, self.rate, self.channels, self.blocks = stream, rate, channels, chain(lead, blocks)
        self.layout = layout
        self.samples = 0
        self.ended = False
        self.resampler = av.AudioResampler(format="fltp", layout=layout, rate=stream.codec_context.sample_rate)
        self.sent = 0

    @property
    def time(self) -> Fraction:
        return Fraction(self.samples, self.rate)

    def frames(self) -> Iterator[Any]:
        """The next block as encoder frames; flushes at the end."""
        block = next(self.blocks, None)
        if block is None:
            self.ended = True
            made = self.resampler.resample(None)
        else:
            flat = np.ascontiguousarray(block.T[: self.channels], np.float32)
            frame = av.AudioFrame.from_ndarray(flat, format="fltp", layout=self.layout)
            frame.sample_rate = self.rate
            frame.pts = self.samples
            frame.time_base = Fraction(1, self.rate)
            self.samples += len(block)
            made = self.resampler.resample(frame)
        for out in made:
            if out.samples == 0:
                continue
            out.pts = self.sent
            out.time_base = Fraction(1, out.sample_rate)
            self.sent += out.samples
            yield out


class Writer:
    """`with Writer(...) as w: w.add(safe)`. Takes safe frames, or packets of finished chunks."""

    def __init__(self, path: Path, info: MediaInfo, options: EncodeOptions, sounds: Sequence[Sound]) -> None:
        self.path, self.info, self.options = path, info, options
        starts = [info.start, *(s[2] for s in sounds)]
        self.origin = min(starts)
        self._sounds = sounds
        self._coder: Coder | None = None
        self._header: Header | None = None
        self._times: list[int] = []  # heap: times of the packets that were put, less those used as times of decoding
        self._put, self._start, self._last = 0, 0, 0

    def __enter__(self) -> Self:
        self.destination = destination(self.path)
        try:
            self._open()
        except BaseException:
            self.destination.drop()
            raise
        return self

    def _open(self) -> None:
        o, info = self.options, self.info
        scale = str(info.time_base.denominator)
        file, more = self.destination.muxed()
        self.box = av.open(file, "w", format="mp4", container_options={
            "fflags": "+bitexact", "movflags": "+faststart", "empty_hdlr_name": "1", "video_track_timescale": scale,
            "movie_timescale": scale}, **more)
        video = self.box.add_stream("libx264", rate=info.rate)
        video.width, video.height = info.width, info.height
        self.video: Any = video
        self.tracks: list[_Track] = []
        for rate, channels, start, blocks in self._sounds:
            count = min(channels, 8) if channels in AAC_LAYOUTS else 2
            best = rate if rate in AAC_RATES else 48000
            sound: Any = self.box.add_stream("aac", rate=best)
            sound.codec_context.layout = AAC_LAYOUTS[count]
            sound.codec_context.bit_rate = o.audio_bit_rate
            sound.codec_context.flags |= av.codec.context.Flags.bitexact
            sound.time_base = Fraction(1, best)
            self.tracks.append(_Track(sound, rate, count, start - self.origin, blocks, AAC_LAYOUTS[count]))

    def _open_video(self, header: Header) -> None:
        """The stream's own encoder is opened for its parameter sets only; pictures are coded by a `Coder` each run."""
        self.video.time_base = self.info.time_base
        configure(self.video.codec_context, self.info, self.options, header.pixel_format, header.colour)
        self._header = Header(header.pixel_format, header.colour, bytes(self.video.codec_context.extradata))
        self._depth = int(self.video.codec_context.reorder_depth)
        self._step = max(1, round(1 / (self.info.rate * self.info.time_base)))

    def add(self, safe: SafeFrame) -> None:
        """Encode the next frame."""
        with mapped(self.path):
            if self._coder is None:
                self._coder = Coder(self.info, self.options)
            for packet in self._coder.add(safe):
                self.put(self._coder.header, packet)

    def cut(self) -> None:
        """End a closed run: the frames that follow are coded without any knowledge of those before."""
        with mapped(self.path):
            if self._coder is not None:
                coder, self._coder = self._coder, None
                for packet in coder.finish():
                    self.put(coder.header, packet)

    def put(self, header: Header, packet: Packet) -> None:
        """Take a coded picture. All of a film have to be coded alike, for they share their parameter sets."""
        with mapped(self.path):
            if self._header is None:
                self._open_video(header)
                self._start = packet.ticks
            if header != self._header:
                raise FacedoubleError(f"{self.path}: not written, because parts of it were encoded in different ways")
            made = av.Packet(packet.data)
            zero = round(self.origin / self.info.time_base)
            made.pts, made.dts, made.duration = packet.ticks - zero, self._decoding(packet.ticks) - zero, packet.span
            made.time_base, made.is_keyframe, made.stream = self.info.time_base, packet.key, self.video
            time = made.dts * self.info.time_base
            self.box.mux(made)
            self._level(time + AHEAD)

    def _decoding(self, ticks: int) -> int:
        """When the next packet is decoded: the times of the film in order, as many packets late as pictures are put in order."""
        heappush(self._times, ticks)
        if self._put < self._depth:
            time = self._start - (self._depth - self._put) * self._step
        else:
            time = heappop(self._times)
        if time > ticks or (self._put and time <= self._last):
            raise FacedoubleError(f"{self.path}: not written, because its pictures are out of order")
        self._put, self._last = self._put + 1, time
        return time

    def _level(self, until: Fraction | None) -> None:
        for track in self.tracks:
            while not track.ended and (until is None or track.time < until):
                for out in track.frames():
                    self.box.mux(track.stream.encode(out))

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is not None:
                with suppress(Exception):
                    self.box.close()
                return
            with mapped(self.path):
                self._finish()
                self.destination.publish()
        finally:
            self.destination.drop()

    def _finish(self) -> None:
        self.cut()
        if self._header is None:
            raise StoreError(f"{self.path}: there was no frame to write")
        self._level(None)
        for track in self.tracks:
            self.box.mux(track.stream.encode(None))
        self.box.close()
        with self.destination.again() as whole:
            found = walked(whole)
        if found:
            raise FacedoubleError(f"{self.path}: not written, because the new file holds what it must not: {found[0]}")


@contextmanager
def mapped(path: Path, kept: str = "nothing was left behind") -> Iterator[None]:
    """Turn errors of disk and encoder into one sentence."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise StoreError(f"{path}: the disk is full; make room and start again, {kept}") from error
        raise StoreError(f"{path}: cannot be written ({error.strerror or type(error).__name__})") from error
