"""Footage that is full of words, names, places and pixels that must be found nowhere; and a search for all of them."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from facedouble.demo.script import score
from facedouble.demo.witness import animate, portrait_pixels, read_portrait, write_clip
from facedouble.options import Options
from facedouble.pipeline.protect import open_eyes
from facedouble.types import Array, Floats, Frame

FRAMES, HEIGHT, RATE = 16, 240, Fraction(25)
BLOCK: Final = (48, 64)  # height, width of the canary image, top left
SAMPLE: Final = 48  # bytes of the footage that are looked for
SAMPLES: Final = 60

STYLE: Final = (b"[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,16\n"
                b"[Events]\nFormat: Layer, Start, End, Style, Text\n")
WORDS: Final = {
    "folder": "Qxfolder-mountvarin-kv71", "file": "Qxfile-zelmira-okonski-83",
    "title": "Qxtitle interview with Zelmira Okonski",
    "comment": "Qxcomment filmed behind the bakery in Varin", "artist": "Qxartist Teodor Halvane", "make": "Qxmake-Panovix",
    "model": "Qxmodel-PV2000-serial-551907", "location": "+47.81734-019.20417/Qxplace",
    "subtitle": "Qxsubtitle my name is Zelmira",
    "udta": "Qxudta owner Halvane, +99 555 0177 31", "free": "Qxfree left in the padding", "uuid": "Qxuuid raw box of a phone",
    "real_name": "Qxname Zelmira Okonski of Varin", "reach": "Qxreach knock twice at Mill Lane 7",
    "note": "Qxnote she fears her uncle",
    "handed": "Qxhanded by the nurse of the clinic", "yes": "Qxyes she wept while she watched",
}


def noise(seed: int = 41) -> Array:
    """The canary image, luma: squares of 4 pixels, so that they stay what they are when they are encoded."""
    h, w = BLOCK
    return np.kron(np.random.default_rng(seed).integers(30, 220, (h // 4, w // 4)), np.ones((4, 4))).astype(np.uint8)


def footage(path: Path) -> Path:
    """A speaking person beside the canary image, in a file that tells everything about who made it and where."""
    plain = path.with_name("plain.mp4")
    portrait = read_portrait(portrait_pixels("astronaut", HEIGHT), open_eyes(Options()))
    h, w = portrait.picture.shape[:2]
    write_clip(plain, _marked(animate(portrait, score(FRAMES, float(RATE)), RATE)), w, h, RATE,
               [(16000, 1, Fraction(0), _tone(FRAMES / float(RATE)))])
    _tagged(plain, path)
    plain.unlink()
    with path.open("ab") as out:
        for kind, word in (("udta", "udta"), ("free", "free"), ("uuid", "uuid")):
            body = (bytes(range(16)) if kind == "uuid" else b"") + WORDS[word].encode() + WORDS[word].encode("utf-16-le")
            out.write((8 + len(body)).to_bytes(4, "big") + kind.encode() + body)
    return path


def _marked(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        luma = frame.planes[0].copy()
        luma[: BLOCK[0], : BLOCK[1]] = noise()
        yield replace(frame, planes=(luma, *frame.planes[1:]))


def _tone(seconds: float) -> Iterator[Floats]:
    t = np.arange(round(seconds * 16000)) / 16000
    yield (0.2 * np.sin(2 * np.pi * 440 * t))[:, None].astype(np.float32)


def _tagged(plain: Path, path: Path) -> None:
    """The same streams, with a line of subtitles and with what a phone writes about itself."""
    with av.open(str(plain)) as source, av.open(str(path), "w", format="mov", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata.update({name: WORDS[name] for name in ("title", "comment", "artist", "make", "model", "location")}
                            | {"com.apple.quicktime.location.ISO6709": WORDS["location"]})
        to: dict[int, Any] = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        text: Any = out.add_stream("mov_text")
        text.time_base = Fraction(1, 1000)
        text.codec_context.subtitle_header = STYLE
        for packet in source.demux():
            if packet.dts is not None:
                index = packet.stream.index
                packet.stream = to[index]
                out.mux(packet)
        word = WORDS["subtitle"].encode()
        said = av.Packet(len(word).to_bytes(2, "big") + word)
        said.stream, said.pts, said.dts, said.duration, said.time_base = text, 0, 0, 500, Fraction(1, 1000)
        out.mux(said)


@dataclass(frozen=True)
class Canaries:
    """What must be found nowhere: names of what they are -> bytes."""

    known: dict[str, bytes]

    def found(self, data: bytes) -> list[str]:
        """Which of them are in there."""
        return [name for name, needle in self.known.items() if needle in data]

    def below(self, places: Iterable[Path]) -> list[str]:
        """Which of them are in files below these places, or in the names of these."""
        return [f"{name} in {path}" for path, data in everything(places) for name in self.found(data)]


def everything(places: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """All files below some places, and what is in them; their names are in it too. Sockets and links have a name only."""
    for place in places:
        for path in (place, *sorted(place.rglob("*"))):
            held = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            yield path, held + b"\0" + str(path.relative_to(place)).encode()


def words() -> Canaries:
    """What people could read."""
    known: dict[str, bytes] = {}
    for name, word in WORDS.items():
        for code in ("utf-8", "utf-16-le", "utf-16-be"):
            data = word.encode(code)
            known[f"{name}, {code}"] = data
            for skip in range(3):  # wherever it stands in a longer text
                cut = data[skip:]
                known[f"{name}, {code}, base64 {skip}"] = base64.b64encode(cut[: len(cut) // 3 * 3])
        known[f"{name}, hexadecimal"] = word.encode().hex().encode()
    return Canaries(known)


def pixels(path: Path) -> Canaries:
    """Rows of the footage as libraries hold pictures in memory: of the canary image, and of the witness's face."""
    known: dict[str, bytes] = {}
    with av.open(str(path)) as box:
        for i, frame in enumerate(box.decode(video=0)):
            if i % 5:
                continue
            luma = frame.to_ndarray(format="gray")
            middle = luma.shape[1] // 2 - BLOCK[1] // 2
            for what, left, rows in (("image", 0, (2, 21, 40)), ("face", middle, (luma.shape[0] // 3, luma.shape[0] // 2))):
                for order in ("gray", "rgb24", "bgr24", "rgba"):
                    held = frame.to_ndarray(format=order)
                    for y in rows:
                        row = held[y, left : left + BLOCK[1]]
                        known[f"{what}, frame {i}, row {y}, {order}"] = row.tobytes()
                        if order != "rgba":
                            known[f"{what}, frame {i}, row {y}, {order}, floats"] = (row.astype(np.float32) / 255).tobytes()
    return Canaries(known)


def samples(data: bytes, seed: int = 5) -> Canaries:
    """Bytes of the footage from anywhere in it, where they are like no others."""
    rng = random.Random(seed)
    known: dict[str, bytes] = {}
    while len(known) < SAMPLES:
        at = rng.randrange(len(data) - SAMPLE)
        if len(set(data[at : at + SAMPLE])) > 36:
            known[f"bytes at {at}"] = data[at : at + SAMPLE]
    return Canaries(known)


def all_of(path: Path) -> Canaries:
    """Words, pixels and bytes."""
    return Canaries(words().known | pixels(path).known | samples(path.read_bytes()).known)
