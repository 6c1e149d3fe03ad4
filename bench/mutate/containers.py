"""Faults of the container: what a muxer, a camera, a disk or a hand may leave in or beside a finished film.

Nothing of the film is coded anew: boxes and samples are put in or taken out (`surgery`), or streams are copied with PyAV. Where a
fault needs a bare picture, it is one of the footage, coded as the film is.
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import av
import av.error
import cv2
import numpy as np

from bench.mutate.faults import PLACES, Case, Fault, Unfit
from bench.mutate.surgery import Movie, Node, Sample, Stream, box, nodes, number
from facedouble.colour import picture
from facedouble.media.decode import frames
from facedouble.media.h264 import Coder, units
from facedouble.media.probe import probe
from facedouble.options import EncodeOptions
from facedouble.types import Frame, SafeFrame, _Seal

GPS: Final = b"+55.7558+037.6173/"
NAMES: Final = (b"Ruslan Kadyrov", "Руслан".encode(), b"Ms. Petrova", b"flat 12, Lenina 4")
XMP: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
LANGUAGES: Final = ("rus", "che", "eng", "ara", "fas", "tur", "pol", "ukr")


def spot(place: int, count: int) -> int:
    """Which of `count` things a place means: the first, the last, and evenly between."""
    return round(place * (count - 1) / (PLACES - 1))


def filled(text: bytes, count: int) -> bytes:
    """A text of a length."""
    return (text * (count // max(len(text), 1) + 1))[:count]


def of_source(case: Case, place: int, count: int) -> list[Frame]:
    """Bare frames of the footage, about there."""
    info = probe(case.source)
    with closing(frames(info)) as film:
        held = list(film)
    first = min(spot(place, len(held)), max(len(held) - count, 0))
    return held[first : first + count]


@cache
def jpeg(source: Path, place: int, side: int) -> bytes:
    """A small picture of a bare frame."""
    rgb = picture(of_source(Case(source, source), place, 1)[0])
    h, w = rgb.shape[:2]
    scale = side / max(h, w)
    small = cv2.resize(rgb, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]))[1].tobytes())


def coded(case: Case, place: int, count: int) -> list[tuple[bytes, bool]]:
    """(sample, whole) of bare frames of the footage, coded as the film is: the same parameter sets, a closed run."""
    info = probe(case.source)
    coder = Coder(info, EncodeOptions())
    packets = [p for f in of_source(case, place, count) for p in coder.add(SafeFrame(_Seal(), replace(f, corrupt=False), False))]
    packets += coder.finish()
    return [(b"".join(number(len(u)) + u for u in units(p.data)), p.key) for p in packets]


def hidden_frames(case: Case, place: int, strength: float, new: Path) -> None:
    """Bare frames that the edit list keeps from players: before the film (places 0 to 3) or after it."""
    movie, count = Movie(case.clean), int(strength)
    video = movie.video
    step = video.samples[0].span
    made = coded(case, place, count)
    samples = [Sample(data, step, video.samples[0].delay, whole) for data, whole in made]
    front = place < PLACES // 2
    movie.insert(video, 0 if front else len(video.samples), samples)
    video.lengthen(step * len(samples), step * len(samples) if front else 0, front)
    movie.settle()
    movie.write(new)


def cut_by_edits(case: Case, place: int, strength: float, new: Path) -> None:
    """Frames of the film that the edit list keeps from players, as a cut without coding does."""
    movie = Movie(case.clean)
    video = movie.video
    ticks = video.samples[0].span * int(strength)
    edits, head = video.node.one(b"edts", b"elst"), video.node.one(b"tkhd")
    at = len(edits.body) - 12
    edits.put(at, 4, edits.get(at) - ticks)
    head.put(20, 4, head.get(20) - ticks)
    if place < PLACES // 2:
        edits.put(at + 4, 4, edits.get(at + 4) + ticks)
    movie.settle()
    movie.write(new)


def lost_frames(case: Case, place: int, strength: float, new: Path) -> None:
    """Frames left out; the rest follows at once."""
    movie, count = Movie(case.clean), int(strength)
    video = movie.video
    at = 1 + spot(place, len(video.samples) - count - 1)
    ticks = sum(s.span for s in video.samples[at : at + count])
    movie.remove(video, at, count)
    video.lengthen(-ticks)
    movie.settle()
    movie.write(new)


def doubled_frames(case: Case, place: int, strength: float, new: Path) -> None:
    """A coded frame that is there again and again."""
    movie = Movie(case.clean)
    video = movie.video
    at = spot(place, len(video.samples))
    again = [replace(video.samples[at]) for _ in range(int(strength))]
    movie.insert(video, at + 1, again)
    video.lengthen(sum(s.span for s in again))
    movie.settle()
    movie.write(new)


def late_frame(case: Case, place: int, strength: float, new: Path) -> None:
    """A frame that is shown later than it should be, by a part of a frame; at the least by one tick."""
    movie = Movie(case.clean)
    samples = movie.video.samples
    at = 1 + spot(place, len(samples) - 2)
    samples[at].delay += max(1, int(strength * samples[at].span))
    movie.write(new)


def lost_sound(case: Case, place: int, strength: float, new: Path) -> None:
    """Pieces of the sound left out."""
    movie = Movie(case.clean)
    sound = _sound(movie)
    at = 1 + spot(place, len(sound.samples) - int(strength) - 2)
    ticks = sum(s.span for s in sound.samples[at : at + int(strength)])
    movie.remove(sound, at, int(strength))
    sound.node.one(b"mdia", b"mdhd").put(16, 4, sound.node.one(b"mdia", b"mdhd").get(16) - ticks)
    edits, head = sound.node.one(b"edts", b"elst"), sound.node.one(b"tkhd")
    less = ticks * movie.moov.one(b"mvhd").get(12) // sound.scale
    edits.put(len(edits.body) - 12, 4, edits.get(len(edits.body) - 12) - less)
    head.put(20, 4, head.get(20) - less)
    movie.settle()
    movie.write(new)


def _sound(movie: Movie) -> Stream:
    if movie.sound is None:
        raise Unfit("the film has no sound")
    return movie.sound


def _note(movie: Movie, place: int, made: bytes) -> None:
    """A box put where cameras put theirs: into the film, a stream, a stream's media, or beside them."""
    holders = [movie.moov, movie.video.node, movie.streams[-1].node, movie.video.node.one(b"mdia"),
               movie.video.node.one(b"mdia", b"minf"),
               movie.video.node.one(b"mdia", b"minf", b"stbl")]
    if place < len(holders):
        holders[place].inside += nodes(made)
    else:
        movie.top.insert(1 if place == 6 else len(movie.top), nodes(made)[0])


def cover(case: Case, place: int, strength: float, new: Path) -> None:
    """A small picture of a bare frame among the tags, where players look for a cover. strength: its side, px."""
    movie = Movie(case.clean)
    item = box(b"covr", box(b"data", number(13), bytes(4), jpeg(case.source, place, int(strength))))
    handler = box(b"hdlr", bytes(8), b"mdirappl", bytes(9))
    movie.moov.inside = [n for n in movie.moov.inside if n.kind != b"udta"]
    movie.moov.inside.append(Node(b"udta", box(b"meta", bytes(4), handler, box(b"ilst", item))))
    movie.write(new)


def picture_in_padding(case: Case, place: int, strength: float, new: Path) -> None:
    """A small picture of a bare frame in an empty box. strength: its side, px."""
    movie = Movie(case.clean)
    _note(movie, place, box((b"free", b"skip", b"wide")[place % 3], jpeg(case.source, place, int(strength))))
    movie.write(new)


def position(case: Case, place: int, strength: float, new: Path) -> None:
    """Where it was filmed, in one of the ways of cameras. strength: letters of it."""
    movie, text = Movie(case.clean), filled(GPS, int(strength))
    short = number(len(text), 2) + number(0x15C7, 2) + text
    key = b"com.apple.quicktime.location.ISO6709"
    keys = box(b"meta", box(b"hdlr", bytes(8), b"mdta", bytes(13)),
               box(b"keys", bytes(4), number(1), number(8 + len(key)), b"mdta", key),
               box(b"ilst", number(24 + len(text)), number(1), box(b"data", number(1), bytes(4), text)))
    loci = box(b"loci", bytes(4), b"\x15\xc7", text, b"\0\0", bytes(12))
    made = (box(b"udta", box(b"\xa9xyz", short)), box(b"udta", loci), box(b"udta", box(b"\xa9xyz", short)), keys,
            box(b"uuid", XMP, text),
            box(b"GPS ", text), keys, box(b"udta", box(b"@xyz", text)))[place]
    where = (0, 0, 1, 0, 0, 0, 1, 2)[place]
    movie.moov.inside = [n for n in movie.moov.inside if n.kind != b"udta" or place == 2]
    _note(movie, where, made)
    movie.write(new)


def message(case: Case, place: int, strength: float, new: Path) -> None:
    """A message (SEI) before a picture: free text, time codes, captions. strength: bytes of text."""
    movie = Movie(case.clean)
    samples = movie.video.samples
    sample = samples[spot(place, len(samples))]
    kind, text = (5, 4, 5, 1, 5, 137, 5, 136)[place], filled(NAMES[0], int(strength))
    payload = (bytes(range(16)) if kind == 5 else b"") + text
    size = b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255])
    unit = bytes([6, kind]) + size + payload + b"\x80"
    sample.data = number(len(unit)) + unit + sample.data
    movie.write(new)


def filler(case: Case, place: int, strength: float, new: Path) -> None:
    """Filler, a delimiter, or a set of parameters beside a picture. strength: bytes of it."""
    movie = Movie(case.clean)
    samples = movie.video.samples
    sample = samples[spot(place, len(samples))]
    unit = bytes([(12, 9, 7, 8)[place % 4]]) + b"\xff" * int(strength) + b"\x80"
    sample.data = sample.data + number(len(unit)) + unit if place % 2 else number(len(unit)) + unit + sample.data
    movie.write(new)


def behind_slice(case: Case, place: int, strength: float, new: Path) -> None:
    """The footage's name behind the coded picture, where no decoder looks. strength: 3 its folder, 2 the file, 1 without its end.

    place: coding, as text, capitals, UTF-16 two ways, base64 at each of its three beginnings, deflated.
    """
    movie = Movie(case.clean)
    whole = case.source.resolve()
    text = (whole.stem, whole.name, str(whole.parent))[int(strength) - 1]
    plain = text.encode()
    secret = (plain, plain.upper(), text.encode("utf-16-le"), text.encode("utf-16-be"),
              base64.b64encode(plain + b"!!"),
              base64.b64encode(b"a" + plain + b"!"), base64.b64encode(b"ab" + plain + b"!"), zlib.compress(plain))[place]
    samples = movie.video.samples
    sample = samples[spot(place, len(samples))]
    last = 0
    while last + 4 + int.from_bytes(sample.data[last : last + 4], "big") < len(sample.data):
        last += 4 + int.from_bytes(sample.data[last : last + 4], "big")
    unit = sample.data[last + 4 :] + secret + b"\x80"
    sample.data = sample.data[:last] + number(len(unit)) + unit
    movie.write(new)


def added_stream(case: Case, place: int, strength: float, new: Path, kind: bytes) -> None:
    """A stream of notes: subtitles, a camera's measurements, a time code. strength: bytes of text in it."""
    movie = Movie(case.clean)
    text = filled(NAMES[place % len(NAMES)], int(strength))
    handler, entry = {
        b"tx3g": (b"sbtl", box(b"tx3g", bytes(6), b"\0\1", bytes(30), box(b"ftab", number(1, 2), number(1, 2), b"\5Serif"))),
        b"gpmd": (b"meta", box(b"gpmd", bytes(6), b"\0\1", bytes(4))),
        b"tmcd": (b"tmcd", box(b"tmcd", bytes(6), b"\0\1", bytes(4), number(0), number(25), number(1), b"\x19\0")),
    }[kind]
    data = {b"tx3g": number(len(text), 2) + text, b"gpmd": b"GPS5" + text, b"tmcd": number(90000) + text}[kind]
    total = sum(s.span for s in movie.video.samples)
    start = spot(place, 1000) * total // 2000
    samples = [Sample(data, total - start), *([Sample(bytes(2), start)] if start else [])][::-1]
    movie.add(handler, entry, samples, movie.video.scale, b"GoPro MET" if kind == b"gpmd" and place % 2 else b"")
    movie.write(new)


def second_pictures(case: Case, place: int, strength: float, new: Path) -> None:
    """The footage's own pictures as a second stream, copied. strength: packets of it; place: from where."""
    options = {"fflags": "+bitexact", "movflags": "+faststart", "empty_hdlr_name": "1"}
    with (av.open(str(case.clean)) as film, av.open(str(case.source)) as bare,
          av.open(str(new), "w", format="mp4", container_options=options) as out):
        made: dict[int, Any] = {s.index: out.add_stream_from_template(s) for s in film.streams}
        stream = bare.streams.video[0]
        extra: Any = out.add_stream_from_template(stream)
        packets = [p for p in bare.demux(stream) if p.size and p.pts is not None]
        first = next(k for k in range(spot(place, max(1, len(packets) - 1)), -1, -1) if packets[k].is_keyframe or k == 0)
        zero = packets[first].dts
        for own in film.demux():
            if own.dts is not None:
                own.stream = made[own.stream_index]
                out.mux(own)
        for k, packet in enumerate(packets[first : first + int(strength)]):
            packet.dts = packet.dts - zero if packet.dts is not None and zero is not None else k
            packet.pts, packet.stream = (packet.pts or 0) - (zero or 0), extra
            out.mux(packet)


def trailing(case: Case, place: int, strength: float, new: Path) -> None:
    """Bytes after the last box: text, zeros, noise, a box, a picture's begin, another file's begin."""
    count = int(strength)
    noise = np.random.default_rng(place).bytes(count)
    kinds = (NAMES[0], b"\0", noise, b"\xff", box(b"free", bytes(max(count - 8, 0))), b"\xff\xd8\xff\xe0", b"PK\3\4",
             box(b"ftyp", b"isom"))
    new.write_bytes(case.clean.read_bytes() + filled(kinds[place], count))


def unclaimed(case: Case, place: int, strength: float, new: Path) -> None:
    """Bytes among pictures and sound that belong to no sample."""
    movie = Movie(case.clean)
    movie.order.insert(round(place * len(movie.order) / (PLACES - 1)), filled(NAMES[0], int(strength)))
    movie.write(new)


def padding(case: Case, place: int, strength: float, new: Path) -> None:
    """An empty box somewhere, with zeros or a name in it."""
    movie = Movie(case.clean)
    made = box((b"free", b"skip", b"wide", b"free")[place % 4], filled(b"\0" if place < 4 else NAMES[0], int(strength)))
    if place in (0, 4):
        movie.top.insert(0, nodes(made)[0])
    else:
        _note(movie, place, made)
    movie.write(new)


def date(case: Case, place: int, strength: float, new: Path) -> None:
    """A date in a header. strength: s since 1904."""
    movie = Movie(case.clean)
    heads = (movie.moov.one(b"mvhd"), movie.video.node.one(b"tkhd"), movie.video.node.one(b"mdia", b"mdhd"),
             movie.streams[-1].node.one(b"tkhd"))
    heads[place % 4].put(4 if place < 4 else 8, 4, int(strength))
    movie.write(new)


def stream_name(case: Case, place: int, strength: float, new: Path) -> None:
    """A name of a stream. strength: letters of it."""
    movie = Movie(case.clean)
    handler = movie.streams[place % len(movie.streams)].node.one(b"mdia", b"hdlr")
    text = filled(NAMES[place % len(NAMES)], int(strength))
    handler.body = handler.body[:24] + text + b"\0" if place < 6 else handler.body[:20] + filled(text, 4) + b"\0"
    movie.write(new)


def coder_name(case: Case, place: int, strength: float, new: Path) -> None:
    """A name of a coder or a device in a stream's description. strength: letters of it."""
    movie = Movie(case.clean)
    stsd = movie.video.node.one(b"mdia", b"minf", b"stbl", b"stsd")
    text = filled(NAMES[place % len(NAMES)], int(strength))
    at = (50 - 8, 50 - 7, 50 - 4, 50, 32, 24, 28, 22)[place]  # the name, or fields that have to be zero
    stsd.body = stsd.body[:at] + text[: len(stsd.body) - at] + stsd.body[at + len(text) :]
    movie.write(new)


def language(case: Case, place: int, strength: float, new: Path) -> None:
    """A language of a stream."""
    movie = Movie(case.clean)
    a, b, c = (ord(x) - 0x60 for x in LANGUAGES[place])
    movie.streams[place % len(movie.streams)].node.one(b"mdia", b"mdhd").put(20, 2, a << 10 | b << 5 | c)
    movie.write(new)


def in_sound(case: Case, place: int, strength: float, new: Path, before: bool) -> None:
    """Text in an AAC sample, as data (DSE) or filler (FIL), before the sound or behind it. strength: bytes of it."""
    movie = Movie(case.clean)
    samples = _sound(movie).samples
    sample = samples[spot(place, len(samples))]
    bits = "".join(f"{b:08b}" for b in sample.data)
    end = len(bits) if before else bits.rstrip("0").rindex("111")
    head, tail = ("", bits) if before else (bits[:end], bits[end:])
    text = filled(NAMES[0], int(strength))
    if place % 2:
        made = "110" + (f"{len(text):04b}" if len(text) < 15 else f"1111{len(text) - 14:08b}")
    else:
        made = f"10000001{len(text):08b}" if len(text) < 255 else ""
        made += "0" * (-(len(head) + len(made)) % 8)
    whole = head + made + "".join(f"{b:08b}" for b in text) + (tail if before else "111")
    whole += "0" * (-len(whole) % 8)
    sample.data = int(whole, 2).to_bytes(len(whole) // 8, "big")
    movie.write(new)


def notes(case: Case, place: int, strength: float, new: Path) -> None:
    """Notes of a program (XMP) in a box of its own. strength: bytes of them."""
    movie = Movie(case.clean)
    text = b"<x:xmpmeta><photoshop:City>Grozny</photoshop:City><tiff:Model>iPhone</tiff:Model></x:xmpmeta>"
    _note(movie, place, box(b"uuid", XMP, filled(text, int(strength))))
    movie.write(new)


def chapters(case: Case, place: int, strength: float, new: Path) -> None:
    """Chapters with names. strength: letters of a name."""
    movie = Movie(case.clean)
    text = filled(NAMES[place % len(NAMES)], int(strength))
    start = spot(place, 100) * 100_000
    chapter = box(b"chpl", b"\1\0\0\0", bytes(4), b"\1", number(start, 8), bytes([len(text)]), text)
    movie.moov.inside = [n for n in movie.moov.inside if n.kind != b"udta"]
    movie.moov.inside.append(Node(b"udta", chapter))
    movie.write(new)


def second_index(case: Case, place: int, strength: float, new: Path) -> None:
    """A second index of the film, whole or empty, or one of its parts twice."""
    movie = Movie(case.clean)
    again = (movie.moov, Node(b"moov"), movie.moov.one(b"mvhd"), movie.moov, movie.video.node.one(b"tkhd"),
             movie.video.node.one(b"mdia", b"mdhd"),
             movie.top[0], Node(b"moov"))[place]
    holder = {2: movie.moov.inside, 4: movie.video.node.inside, 5: movie.video.node.one(b"mdia").inside}.get(place, movie.top)
    copy = nodes(again.data())[0]
    holder.insert(1 if place == 0 else len(holder), copy)
    movie.write(new)


def beside(case: Case, place: int, strength: float, new: Path) -> None:
    """A note that a disk keeps beside the file (an extended attribute). strength: bytes of it."""
    new.write_bytes(case.clean.read_bytes())
    name = ("xdg.origin.url", "xdg.referrer.url", "com.apple.metadata:kMDItemWhereFroms", "comment", "dublincore.creator", "a",
            "mime_type", "тег")[place]
    try:
        os.setxattr(new, f"user.{name}", filled(b"https://example.org/interview", int(strength)))
    except OSError as error:
        raise Unfit("this disk keeps no notes beside files") from error


def on_disk(case: Case, place: int, strength: float, new: Path) -> None:
    """The footage's own date, another name, or a right for everybody to write."""
    new.write_bytes(case.clean.read_bytes())
    held = os.stat(case.source)
    if place < 4:
        os.utime(new, ns=(held.st_atime_ns, held.st_mtime_ns))
    elif place < 6:
        other = new.with_name(f"{new.name}.{place}")
        other.unlink(missing_ok=True)
        os.link(new, other)
    else:
        new.chmod(0o666 if place == 6 else 0o4755)


def _kind(name: str, strengths: tuple[float, ...], make: Callable[[Case, int, float, Path], None]) -> Fault:
    return Fault(name, "container", strengths, make)


FAULTS: Final[list[Fault]] = [
    _kind("bare frames hidden by the edit list", (12, 3, 1), hidden_frames),
    _kind("frames of the film hidden by the edit list", (5, 2, 1), cut_by_edits),
    _kind("frames left out", (5, 2, 1), lost_frames),
    _kind("a frame again and again", (5, 2, 1), doubled_frames),
    _kind("a frame shown late", (0.5, 0.1, 0.0), late_frame),
    _kind("sound left out", (10, 3, 1), lost_sound),
    _kind("a cover picture", (320, 64, 8), cover),
    _kind("a picture in padding", (320, 64, 8), picture_in_padding),
    _kind("a place on the map", (18, 4, 1), position),
    _kind("a message in a coded picture", (200, 16, 1), message),
    _kind("filler in a coded picture", (1000, 16, 1), filler),
    _kind("the footage's name behind a coded picture", (3, 2, 1), behind_slice),
    _kind("subtitles with a name", (40, 5, 1), partial(added_stream, kind=b"tx3g")),
    _kind("a camera's measurements", (1000, 16, 1), partial(added_stream, kind=b"gpmd")),
    _kind("a stream of time codes", (16, 4, 0), partial(added_stream, kind=b"tmcd")),
    _kind("the footage's pictures as a second stream", (1e9, 25, 1), second_pictures),
    _kind("bytes after the end", (1000, 8, 1), trailing),
    _kind("bytes of no sample", (1000, 8, 1), unclaimed),
    _kind("empty boxes", (1000, 8, 0), padding),
    _kind("a date", (3.8e9, 1000, 1), date),
    _kind("a stream's name", (20, 5, 1), stream_name),
    _kind("a coder's name", (20, 4, 1), coder_name),
    _kind("a stream's language", (1,), language),
    _kind("text before the sound", (200, 14, 1), partial(in_sound, before=True)),
    _kind("text behind the sound", (200, 14, 1), partial(in_sound, before=False)),
    _kind("a program's notes", (2000, 16, 0), notes),
    _kind("chapters with names", (40, 5, 0), chapters),
    _kind("a second index", (1,), second_index),
    _kind("a note beside the file", (100, 10, 1), beside),
    _kind("date, name and rights on the disk", (1,), on_disk),
]
