"""Footage -> pictures as planes, upright, with exact times; damage is marked, never passed over."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import av
import av.error
import cv2
import numpy as np

from facedouble.errors import InputRefused
from facedouble.media.inside.opening import depth_of, one_thread, opened, video_of
from facedouble.media.inside.piece import Piece, Steps
from facedouble.media.limits import LARGEST_PHOTO, LARGEST_SIDE, LONGEST_SPAN, MOST_REPLACED
from facedouble.types import Array

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


def _planes(frame: Any, width: int, height: int, rotation: int) -> tuple[tuple[Array, ...], str]:
    """Upright planes in the decoder's own memory, and their format."""
    name = frame.format.name
    target = working_format(name, width, height, rotation)
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
    turns = {0: 0, 90: 1, 180: 2, 270: 3}[rotation]  # FFmpeg's angle is counter-clockwise, as rot90's
    return tuple(np.rot90(p, turns) for p in planes), target


def pictures(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: all pictures in order of time, as `decode.frames` tells.

    given: demuxer, width, height, rotation, rate and base (numerator, denominator), seek (ticks, or None).
    A packet whose picture never comes out is noticed when a later one does; then a grey one takes its place, for good: a decoder
    may still bring that picture among later ones. Times that do not increase are moved on by one tick.
    """
    width, height, rotation = given["width"], given["height"], given["rotation"]
    last_ticks: int | None = None
    count = 0
    waiting: list[tuple[int, int]] = []  # (ticks, span) of packets whose picture has not come out yet
    like: tuple[tuple[Array, ...], str] | None = None  # grey, as the last picture
    replaced: deque[int] = deque(maxlen=MOST_REPLACED)  # ticks at which a grey one stands
    damaged: set[int] = set()
    step = min(max(1, round(1 / (Fraction(*given["rate"]) * Fraction(*given["base"])))), LONGEST_SPAN - 1)

    def build(ticks: int, span: int, planes: tuple[Array, ...], name: str, corrupt: bool) -> Piece:
        nonlocal last_ticks, count
        if last_ticks is not None and ticks <= last_ticks:
            ticks = last_ticks + 1
        last_ticks, count = ticks, count + 1
        return Piece({"ticks": ticks, "span": span, "format": name, "corrupt": corrupt}, planes)

    def missing(before: int | None) -> Iterator[Piece]:
        while waiting and like is not None and (before is None or waiting[0][0] < before):
            ticks, span = heapq.heappop(waiting)
            replaced.append(ticks)
            yield build(ticks, span, *like, True)

    with opened(file, given["demuxer"]) as box:
        stream = video_of(box)
        one_thread(stream)
        if given["seek"] is not None:
            box.seek(given["seek"], stream=stream)
        for packet in box.demux(stream):
            yield None
            try:
                decoded = list(packet.decode())
            except av.error.FFmpegError:
                decoded = []
            if packet.is_corrupt and packet.pts is not None:
                damaged.add(packet.pts)
            if packet.pts is not None and packet.size and not packet.is_discard:
                span = packet.duration or step
                heapq.heappush(waiting, (packet.pts, span if 0 < span < LONGEST_SPAN else step))
            for frame in decoded:
                planes, name = _planes(frame, width, height, rotation)
                if planes[0].shape[::-1] != (width, height):
                    raise InputRefused("the picture's size changes within the film; cut it there first")
                like = _grey(planes, name)
                ticks = frame.pts if frame.pts is not None else (last_ticks + step if last_ticks is not None else 0)
                if ticks in replaced:
                    continue
                yield from missing(ticks)
                span = step
                if waiting and waiting[0][0] == ticks:
                    span = heapq.heappop(waiting)[1]
                yield build(ticks, span, planes, name, bool(frame.is_corrupt) or ticks in damaged)
                damaged.discard(ticks)
        yield from missing(None)
    if count == 0:
        raise InputRefused("not one picture in it can be read; copy it again")


def _grey(planes: tuple[Array, ...], name: str) -> tuple[tuple[Array, ...], str]:
    """The same planes in grey, without memory of their own."""
    grey = 512 if name.endswith("10le") else 128
    return tuple(np.broadcast_to(p.dtype.type(grey), p.shape) for p in planes), name


def times(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: ticks of the pictures that a film shows, int64, as packets have them; one without a time is the end."""
    found: list[int] = []
    most = given["room"] // 8
    with opened(file, given["demuxer"]) as box:
        for packet in box.demux(video_of(box)):
            yield None
            if packet.size and not packet.is_discard:
                if packet.pts is None:
                    yield Piece({"timeless": True})
                    return
                found.append(packet.pts)
            if len(found) == most:
                yield Piece({"timeless": False}, (np.array(found, np.int64),))
                found = []
    yield Piece({"timeless": False}, (np.array(found, np.int64),))


def photo(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: a photo, upright, RGB (h, w, 3) uint8."""
    data = file.read(LARGEST_PHOTO + 1)
    known = data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n" or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
    if not known:
        raise InputRefused("is no photo that facedouble knows; give a JPEG, PNG or WebP")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if len(data) <= LARGEST_PHOTO else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise InputRefused("the photo is damaged; copy it again")
    if max(pixels.shape[:2]) > 2 * LARGEST_SIDE:
        raise InputRefused("the photo is too large; make it smaller first")
    yield Piece({"height": pixels.shape[0], "width": pixels.shape[1]}, (pixels[..., ::-1],))
