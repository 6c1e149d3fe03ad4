"""Footage -> frames as planes, upright, with exact times; damage is marked, never passed over."""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np

from facedouble.errors import InputRefused
from facedouble.media.probe import LARGEST_SIDE, depth_of, opened, video_of
from facedouble.types import Array, Bytes, Frame, MediaInfo

KEPT = {"yuv420p": "yuv420p", "yuvj420p": "yuv420p", "yuv422p": "yuv422p", "yuvj422p": "yuv422p", "yuv444p": "yuv444p",
        "yuvj444p": "yuv444p", "yuv420p10le": "yuv420p10le", "yuv422p10le": "yuv422p10le", "yuv444p10le": "yuv444p10le"}


def working_format(name: str, width: int, height: int, rotation: int) -> str:
    """The planar format that frames of a source format travel in, after rotation."""
    base = KEPT.get(name)
    if base is None:
        ten = depth_of(name) > 8
        wide = any(k in name for k in ("444", "rgb", "bgr", "gbr", "pal8", "argb", "abgr", "422", "yuyv", "uyvy", "411", "440"))
        base = ("yuv444p" if wide else "yuv420p") + ("10le" if ten else "")
    turned = "422" in base and rotation in (90, 270)
    odd = ("420" in base and (width % 2 or height % 2)) or ("422" in base and width % 2)
    if turned or odd:
        base = base.replace("422", "444").replace("420", "444")
    return base


def _plane(plane: Any, deep: bool) -> Array:
    raw = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    if deep:
        return raw[:, : plane.width * 2].view(np.uint16)
    return raw[:, : plane.width]


def _on_black(frame: Any) -> Any:
    """A frame with transparency laid on black: what a player would not show must not become visible."""
    rgba = frame.to_ndarray(format="rgba").astype(np.uint16)
    flat = (rgba[..., :3] * rgba[..., 3:] + 127) // 255
    return av.VideoFrame.from_ndarray(flat.astype(np.uint8), format="rgb24")


def _planes(frame: Any, info: MediaInfo) -> tuple[tuple[Array, ...], str]:
    name = frame.format.name
    target = working_format(name, info.width, info.height, info.rotation)
    if name not in KEPT:
        if any(c.is_alpha for c in frame.format.components):
            frame = _on_black(frame)
        frame = frame.reformat(format=target)
        name = target
    deep = KEPT[name].endswith("10le")
    planes = [_plane(p, deep) for p in frame.planes[:3]]
    if target.startswith("yuv444p") and not KEPT[name].startswith("yuv444p"):
        h, w = planes[0].shape
        ry, rx = -(-h // planes[1].shape[0]), -(-w // planes[1].shape[1])
        planes[1:] = [p.repeat(ry, 0).repeat(rx, 1)[:h, :w] for p in planes[1:]]
    turns = {0: 0, 90: 1, 180: 2, 270: 3}[info.rotation]  # FFmpeg's angle is counter-clockwise, as rot90's
    return tuple(np.array(np.rot90(p, turns), order="C") for p in planes), target


def frames(info: MediaInfo, seek: int | None = None) -> Generator[Frame, None, None]:
    """All frames in order of time. Damaged and missing ones come with `corrupt` set, in their place.

    seek: begin about there, in ticks, if the footage lets one; what comes first then need not be whole, and is numbered from 0.
    `media/again.py` makes frames of it that can be trusted.

    A packet whose frame never comes out is noticed when a later frame does; then a grey frame takes its place. Times that
    do not increase are moved on by one tick.
    """
    index, last_ticks = 0, None
    waiting: list[tuple[int, int]] = []  # (ticks, span) of packets whose frame has not come out yet
    shape: tuple[tuple[Array, ...], str] | None = None
    damaged: set[int] = set()
    step = max(1, round(1 / (info.rate * info.time_base)))

    def build(ticks: int, span: int, planes: tuple[Array, ...], name: str, corrupt: bool) -> Frame:
        nonlocal index, last_ticks
        if last_ticks is not None and ticks <= last_ticks:
            ticks = last_ticks + 1
        made = Frame(index, ticks, span, info.time_base, planes, name, info.colour, corrupt)
        index, last_ticks = index + 1, ticks
        return made

    def missing(before: int | None, like: tuple[tuple[Array, ...], str] | None) -> Iterator[Frame]:
        while waiting and like is not None and (before is None or waiting[0][0] < before):
            ticks, span = heapq.heappop(waiting)
            grey = 512 if like[1].endswith("10le") else 128
            yield build(ticks, span, tuple(np.full_like(p, grey) for p in like[0]), like[1], True)

    with opened(Path(info.path), info.container) as box:
        stream = video_of(box)
        stream.thread_type = "AUTO"
        if seek is not None:
            box.seek(seek, stream=stream)
        for packet in box.demux(stream):
            try:
                decoded = list(packet.decode())
            except av.error.FFmpegError:
                decoded = []
            if packet.is_corrupt and packet.pts is not None:
                damaged.add(packet.pts)
            if packet.pts is not None and packet.size and not packet.is_discard:
                heapq.heappush(waiting, (packet.pts, packet.duration or step))
            for frame in decoded:
                planes, name = _planes(frame, info)
                size = planes[0].shape[::-1]
                if size != (info.width, info.height):
                    raise InputRefused(f"{info.path}: the picture's size changes within the film; cut it there first")
                shape = planes, name
                ticks = frame.pts if frame.pts is not None else (last_ticks + step if last_ticks is not None else 0)
                yield from missing(ticks, shape)
                span = step
                if waiting and waiting[0][0] == ticks:
                    span = heapq.heappop(waiting)[1]
                yield build(ticks, span, planes, name, bool(frame.is_corrupt) or ticks in damaged)
                damaged.discard(ticks)
        yield from missing(None, shape)
    if index == 0:
        raise InputRefused(f"{info.path}: not one picture in it can be read; copy it again")


def packet_times(info: MediaInfo) -> list[int]:
    """Ticks of the pictures that a film shows, in order, from its packets alone; empty if some have no time."""
    times = []
    with opened(Path(info.path), info.container) as box:
        for packet in box.demux(video_of(box)):
            if packet.size and not packet.is_discard:
                if packet.pts is None:
                    return []
                times.append(packet.pts)
    return sorted(times)


def photo(path: Path) -> Bytes:
    """A photo, upright, as RGB (h, w, 3) uint8; InputRefused for anything but JPEG, PNG and WebP."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputRefused(f"{path}: cannot be read ({error.strerror}); check the name") from error
    known = data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n" or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
    if not known:
        raise InputRefused(f"{path}: is no photo that facedouble knows; give a JPEG, PNG or WebP")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise InputRefused(f"{path}: the photo is damaged; copy it again")
    if max(pixels.shape[:2]) > 2 * LARGEST_SIDE:
        raise InputRefused(f"{path}: the photo is too large; make it smaller first")
    return np.ascontiguousarray(pixels[..., ::-1])
