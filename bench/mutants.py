"""Small media in many containers, and what can be done to them on purpose. Everything follows from a number."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.random import Generator

from tests.media.make import clip, scene

WIDTH, HEIGHT = 96, 64
FILM: Final[dict[str, dict[str, Any]]] = {
    "h264.mp4": {"audio": [(16000, 0.5, 0.0)], "options": {"g": "4"}}, "turned.mp4": {"rotation": 90, "options": {"bf": "2"}},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none"}}, "ten.mp4": {"fmt": "yuv420p10le"},
    "prores.mov": {"codec": "prores_ks", "fmt": "yuv422p10le"}, "mjpeg.mov": {"codec": "mjpeg", "fmt": "yuvj420p"},
    "qtrle.mov": {"codec": "qtrle", "fmt": "argb"}, "png.mov": {"codec": "png", "fmt": "rgb24"},
    "vp9.mkv": {"codec": "libvpx-vp9", "audio": [(48000, 0.4, 0.0)]}, "ffv1.mkv": {"codec": "ffv1"}, "h264.mkv": {},
    "av1.mkv": {"codec": "libsvtav1"}, "mpeg4.avi": {"codec": "mpeg4", "audio": [(48000, 0.4, 0.0)]},
    "huffyuv.avi": {"codec": "huffyuv", "fmt": "yuv422p"}, "raw.avi": {"codec": "rawvideo"},
    "mpeg2.ts": {"codec": "mpeg2video", "audio": [(48000, 0.4, 0.0)]}, "h264.ts": {}, "mpeg2.mpg": {"codec": "mpeg2video"},
    "flv.flv": {"codec": "flv"}, "wmv.asf": {"codec": "wmv2"}, "mpeg2.mxf": {"codec": "mpeg2video"},
}
SOUND: Final = {"pcm.wav": ("pcm_s16le", "s16"), "float.wav": ("pcm_f32le", "flt"), "pcm.aiff": ("pcm_s16be", "s16"),
                "flac.flac": ("flac", "s16"), "mp3.mp3": ("libmp3lame", "fltp"), "alac.caf": ("alac", "s16p"),
                "opus.ogg": ("libopus", "flt")}
PHOTO: Final = ("photo.jpg", "photo.png", "photo.webp")
EDGES: Final = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 100_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE,
                0xFFFFFFFF)
TEXTS: Final = {
    "concat": "ffconcat version 1.0\nfile '{canary}'\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{canary}\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "mpd": "<?xml version='1.0'?><MPD><Period><AdaptationSet><BaseURL>{canary}</BaseURL></AdaptationSet></Period></MPD>",
    "svg": "<svg xmlns='http://www.w3.org/2000/svg'><image href='file://{canary}'/></svg>", "ram": "file://{canary}\n",
}


def seeds(folder: Path) -> dict[str, bytes]:
    """One small file of each kind."""
    folder.mkdir(exist_ok=True)
    for name, asked in FILM.items():
        clip(folder / name, WIDTH, HEIGHT, 8, **asked)
    for name, (codec, fmt) in SOUND.items():
        _sound(folder / name, codec, fmt)
    for name in PHOTO:
        cv2.imwrite(str(folder / name), scene(3, WIDTH, HEIGHT))
    return {name: (folder / name).read_bytes() for name in (*FILM, *SOUND, *PHOTO)}


def _sound(path: Path, codec: str, fmt: str) -> None:
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream(codec, rate=48000)
        stream.layout = "stereo"
        tone = 0.3 * np.sin(np.arange(9600) / 20)[None].repeat(2, 0)
        whole = tone.astype(np.float32) if fmt.startswith("flt") else (tone * 32767).astype(np.int16)
        if not fmt.endswith("p"):
            whole = np.ascontiguousarray(whole.T.reshape(1, -1))
        sound = av.AudioFrame.from_ndarray(whole, format=fmt, layout="stereo")
        sound.sample_rate = 48000
        for packet in [*stream.encode(sound), *stream.encode(None)]:
            box.mux(packet)


def _flip(data: bytearray, rng: Generator) -> bytearray:
    for at in rng.integers(0, len(data), 1 << int(rng.integers(0, 7))):
        data[at] ^= 1 << int(rng.integers(0, 8))
    return data


def _noise(data: bytearray, rng: Generator) -> bytearray:
    at, size = int(rng.integers(0, len(data))), 1 << int(rng.integers(1, 10))
    data[at : at + size] = rng.bytes(min(size, len(data) - at))
    return data


def _cut(data: bytearray, rng: Generator) -> bytearray:
    return data[: int(rng.integers(1, len(data)))]


def _fitted(data: bytearray, rng: Generator) -> bytearray:
    """Cut, and the last box's or chunk's size mended, so that it is not seen from outside."""
    made = data[: int(rng.integers(len(data) // 3, len(data)))]
    at = 0
    while at + 8 <= len(made):
        size = int.from_bytes(made[at : at + 4], "big")
        if size < 8 or at + size > len(made):
            made[at : at + 4] = struct.pack(">I", len(made) - at)
            break
        at += size
    if made[:4] == b"RIFF":
        made[4:8] = struct.pack("<I", len(made) - 8)
    return made


def _repeat(data: bytearray, rng: Generator) -> bytearray:
    a, b = sorted(int(n) for n in rng.integers(0, len(data), 2))
    return data[:b] + data[a:]


def _remove(data: bytearray, rng: Generator) -> bytearray:
    at, size = int(rng.integers(0, len(data))), 1 << int(rng.integers(0, 12))
    return data[:at] + data[at + size :]


def _names(data: bytearray) -> list[int]:
    """Where something like a four-letter name begins: of a box, a chunk, a codec."""
    head = np.frombuffer(bytes(data), np.uint8)
    letter = ((head >= 97) & (head <= 122)) | ((head >= 65) & (head <= 90)) | ((head >= 48) & (head <= 57)) | (head == 32)
    return np.flatnonzero(letter[:-3] & letter[1:-2] & letter[2:-1] & letter[3:]).tolist() if len(head) > 8 else []


def _size(data: bytearray, rng: Generator) -> bytearray:
    """The size before (or after) a name."""
    places = _names(data) or [8]
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.choice(places)) + (-4 if rng.random() < 0.6 else 4)
        _write(data, at, rng)
    return data


def _write(data: bytearray, at: int, rng: Generator) -> None:
    value, width = int(rng.choice(EDGES)), int(rng.choice((1, 2, 4)))
    if 0 <= at <= len(data) - width:
        data[at : at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, "big" if rng.random() < 0.5 else "little")


def _field(data: bytearray, rng: Generator) -> bytearray:
    """Numbers at the edges of what a field can hold, where headers are: at both ends, and after names."""
    places = [*range(min(len(data), 600)), *range(max(len(data) - 2500, 0), len(data)), *(n + 8 for n in _names(data))]
    for _ in range(1 << int(rng.integers(0, 5))):
        _write(data, int(rng.choice(places)), rng)
    return data


def _giant(data: bytearray, rng: Generator) -> bytearray:
    """Another width or height, wherever one seems to be written."""
    found = 0
    for side in (WIDTH, HEIGHT):
        new = int(rng.choice((0, 1, 15, 8192, 8193, 16384, 65535, 100_000, 0x7FFFFFFF)))
        for code in (">I", "<I", ">H", "<H"):
            old, value = struct.pack(code, side), new & (0xFFFF if code[1] == "H" else 0xFFFFFFFF)
            if old in data and (not found or rng.random() < 0.7):
                data, found = data.replace(old, struct.pack(code, value), 3), found + 1
    return data if found else _field(data, rng)


def _swap(data: bytearray, rng: Generator) -> bytearray:
    """Two spans change places."""
    a, b, c = sorted(int(n) for n in rng.integers(0, len(data), 3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _mended(data: bytearray) -> bytearray:
    """With the checksums of PNG chunks and Ogg pages made to fit, so that what was changed is read."""
    at = 8
    while data[:4] == b"\x89PNG" and at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    at = data.find(b"OggS")
    while at >= 0 and at + 27 <= len(data):
        table = at + 27 + data[at + 26]
        end = table + sum(data[at + 27 : table])
        data[at + 22 : at + 26] = bytes(4)
        data[at + 22 : at + 26] = struct.pack("<I", _ogg_sum(bytes(data[at:end])))
        at = data.find(b"OggS", max(end, at + 4))
    return data


def _ogg_sum(page: bytes) -> int:
    """CRC-32 of an Ogg page: as zlib's, bits the other way round, from 0 (RFC 3533)."""
    total = 0
    for byte in page:
        total = (total << 8 & 0xFFFFFFFF) ^ OGG[total >> 24 ^ byte]
    return total


def _ogg_table() -> list[int]:
    made = []
    for n in range(256):
        value = n << 24
        for _ in range(8):
            value = value << 1 ^ (0x04C11DB7 if value >> 31 else 0)
            value &= 0xFFFFFFFF
        made.append(value)
    return made


OGG: Final = _ogg_table()
CHANGES: Final[tuple[Callable[[bytearray, Generator], bytearray], ...]] = (
    _flip, _flip, _noise, _cut, _fitted, _fitted, _repeat, _remove, _size, _size, _field, _field, _giant, _swap)


def mutant(number: int, made: dict[str, bytes], canary: Path) -> tuple[str, str, bytes]:
    """(seed, what was done to it, bytes) of one mutant, the same for the same number."""
    rng = np.random.default_rng([7, number])
    names = list(made)
    name = names[number % len(names)]
    kind = rng.random()
    if kind < 0.02:
        what = str(rng.choice(list(TEXTS)))
        text = TEXTS[what].format(canary=canary if rng.random() < 0.5 else canary.name).encode()
        front = made[name][: int(rng.integers(8, 64))] if rng.random() < 0.5 else b""
        return name, what, front + text
    if kind < 0.10:
        other = made[names[int(rng.integers(len(names)))]]
        at = int(rng.integers(4, len(made[name])))
        return name, "splice", made[name][:at] + other[int(rng.integers(len(other))) :]
    data, done = bytearray(made[name]), []
    for _ in range(int(rng.choice((1, 1, 1, 2, 3)))):
        if len(data) < 16:
            break
        change = CHANGES[int(rng.integers(len(CHANGES)))]
        data = change(data, rng)
        done.append(change.__name__.strip("_"))
    return name, "+".join(done), bytes(_mended(data) if rng.random() < 0.8 else data)
