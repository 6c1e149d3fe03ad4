"""Safe frames and samples -> a new MP4, rebuilt from nothing. It appears when whole and checked, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import cache
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
import numpy as np
from av.bitstream import BitStreamFilterContext

from facedouble.errors import FacedoubleError, StoreError
from facedouble.media.container import violations
from facedouble.media.sound import silence_blocks
from facedouble.options import EncodeOptions
from facedouble.types import Array, Floats, Frame, MediaInfo, SafeFrame

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
AHEAD = Fraction(1, 2)  # s of sound that may run ahead of the picture
AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}

Sound = tuple[int, int, Fraction, Iterator[Floats]]
"""(sample rate, channels, start in seconds, blocks (N, C))"""


def _destination(path: Path) -> tuple[int, Path | None]:
    """An open descriptor of a new nameless file in the destination's folder, or of a hidden one where that fails."""
    if path.exists() or path.is_symlink():
        raise StoreError(f"{path}: exists already; nothing is overwritten, so choose another name")
    folder = path.parent if str(path.parent) else Path(".")
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), None
    except FileNotFoundError as error:
        raise StoreError(f"{folder}: there is no such folder; make it first") from error
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOSPC):
            raise StoreError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    hidden = folder / f".{path.name}.{os.getpid()}.part"
    try:
        return os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), hidden
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error


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
    """`with Writer(...) as w: w.add(safe)`. Takes nothing but safe frames."""

    def __init__(self, path: Path, info: MediaInfo, options: EncodeOptions, sounds: Sequence[Sound]) -> None:
        self.path, self.info, self.options = path, info, options
        starts = [info.start, *(s[2] for s in sounds)]
        self.origin = min(starts)
        self._sounds = sounds

    def __enter__(self) -> Self:
        self.descriptor, self.hidden = _destination(self.path)
        try:
            self._open()
        except BaseException:
            self._drop()
            raise
        return self

    def _open(self) -> None:
        o, info = self.options, self.info
        scale = str(info.time_base.denominator)
        self.box = av.open(f"/proc/self/fd/{self.descriptor}", "w", format="mp4", container_options={
            "fflags": "+bitexact", "movflags": "+faststart", "empty_hdlr_name": "1", "video_track_timescale": scale,
            "movie_timescale": scale})
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
        self.filter: Any = None

    def _open_video(self, frame: Frame) -> None:
        """The picture's encoder is opened with the first frame, which says the working format."""
        context, o = self.video.codec_context, self.options
        context.pix_fmt = frame.pixel_format
        self.video.time_base = self.info.time_base
        context.time_base = self.info.time_base
        context.thread_count = o.threads
        context.color_primaries, context.color_trc = frame.colour.primaries, frame.colour.transfer
        context.colorspace, context.color_range = frame.colour.matrix, 2 if frame.colour.full else 1
        context.sample_aspect_ratio = self.info.sample_aspect
        context.flags |= av.codec.context.Flags.bitexact | av.codec.context.Flags.global_header
        context.options = {"crf": f"{o.crf:g}", "preset": o.preset, **_steady()}
        context.open()
        self.filter = BitStreamFilterContext("filter_units=remove_types=6", self.video)

    def add(self, safe: SafeFrame) -> None:
        """Encode the next frame."""
        if type(safe) is not SafeFrame:
            raise TypeError("the encoder takes only safe frames")
        frame = safe.frame
        with self._mapped():
            if self.filter is None:
                self._open_video(frame)
            picture = av.VideoFrame(frame.width, frame.height, frame.pixel_format)
            for plane, samples in zip(picture.planes, frame.planes, strict=True):
                _fill(plane, samples)
            picture.pts = frame.ticks - round(self.origin / self.info.time_base)
            picture.time_base = self.info.time_base
            picture.duration = frame.span
            picture.pict_type = 0
            picture.colorspace, picture.color_range = frame.colour.matrix, 2 if frame.colour.full else 1
            self._mux_video(self.video.encode(picture))
            self._level(picture.pts * self.info.time_base + AHEAD)

    def _mux_video(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            packet.stream = self.video
            for kept in self.filter.filter(packet):
                kept.stream = self.video
                self.box.mux(kept)

    def _level(self, until: Fraction | None) -> None:
        for track in self.tracks:
            while not track.ended and (until is None or track.time < until):
                for out in track.frames():
                    self.box.mux(track.stream.encode(out))

    def _mapped(self) -> _Mapped:
        return _Mapped(self.path)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is not None:
                with suppress(Exception):
                    self.box.close()
                return
            with self._mapped():
                self._finish()
                self._publish()
        finally:
            self._drop()

    def _finish(self) -> None:
        if self.filter is None:
            raise StoreError(f"{self.path}: there was no frame to write")
        self._level(None)
        self._mux_video(self.video.encode(None))
        for kept in self.filter.filter(None):
            kept.stream = self.video
            self.box.mux(kept)
        for track in self.tracks:
            self.box.mux(track.stream.encode(None))
        self.box.close()
        found = violations(Path(f"/proc/self/fd/{self.descriptor}"))
        if found:
            raise FacedoubleError(f"{self.path}: not written, because the new file holds what it must not: {found[0]}")
        os.fsync(self.descriptor)

    def _publish(self) -> None:
        """Give the whole file its name; fails if the name was taken meanwhile."""
        os.fchmod(self.descriptor, 0o644 & ~_umask())
        try:
            if self.hidden is None:
                # naming a folder descriptor makes Python call linkat(AT_SYMLINK_FOLLOW), which plain link() is not
                os.link(f"/proc/self/fd/{self.descriptor}", self.path, src_dir_fd=self.descriptor, follow_symlinks=True)
            else:
                os.link(self.hidden, self.path)
        except FileExistsError as error:
            raise StoreError(f"{self.path}: appeared while the film was made; nothing is overwritten") from error

    def _drop(self) -> None:
        with suppress(OSError):
            os.close(self.descriptor)
        if self.hidden is not None:
            self.hidden.unlink(missing_ok=True)


@cache
def _steady() -> dict[str, str]:
    """x264's AVX-512 code reads old memory beyond the picture at some widths, so its bits differ from run to run: measured."""
    try:
        avx512 = "avx512" in Path("/proc/cpuinfo").read_text()
    except OSError:
        avx512 = False
    return {"x264-params": "asm=avx2"} if avx512 else {}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _fill(plane: Any, samples: Array) -> None:
    target = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    raw = samples.view(np.uint8).reshape(samples.shape[0], -1)
    target[:, : raw.shape[1]] = raw
    target[:, raw.shape[1] :] = 0  # x264 looks at the padding, which would make its bits depend on old memory


class _Mapped:
    """Turns errors of disk and encoder into one sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(value, av.error.FFmpegError | OSError):
            if getattr(value, "errno", None) in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
                raise StoreError(f"{self.path}: the disk is full; make room and start again, nothing was left behind") from value
            raise StoreError(f"{self.path}: cannot be written ({value.strerror or type(value).__name__})") from value
