"""A stream's tables in an MP4: where each sample lies and when it is shown, and the head that says how it is coded.

ISO/IEC 14496-12 (sample tables, edit lists), -14 (esds), -15 (avcC). Times are ticks of the stream's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facedouble.audit.walk import Walk, shown
from facedouble.types import Value

Longs = NDArray[np.int64]
Found = Mapping[str, tuple[bytes, int]]
"""Boxes by kind: (content, where it begins in the file)."""

MOST: Final = 1 << 24  # samples of a stream
PRIMING: Final = (0, 1024)  # samples that an AAC encoder puts before the sound, and that are not to be heard
AAC_MOST: Final = 6144  # bits of a channel in a block of 1024 samples (ISO/IEC 14496-3, 4.5.3.1)
AAC_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
AAC_CHANNELS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}  # configuration -> channels
ROLL: Final = bytes.fromhex("01000000726f6c6c00000002000000 01ffff")  # AAC needs the sample before


@dataclass(frozen=True)
class Track(Value):
    """A stream. at: of its description, byte in the file; offsets, sizes (N,) int64: of its samples, in the order of decoding;
    times, spans (N,) int64: when each is shown, and for how long, ticks, edit list not counted; whole (K,): samples that need
    no other; sets: SPS, PPS; config: AudioSpecificConfig; aspect: of a pixel, width to height; head: ticks of the stream before
    the film begins (the edit list's); wait: seconds of nothing before it; shown: how long it is shown, in ticks of the film.
    """

    number: int
    kind: str
    codec: str
    at: int
    scale: int
    offsets: Longs
    sizes: Longs
    times: Longs
    spans: Longs
    whole: Longs
    sets: tuple[bytes, ...] = ()
    config: bytes = b""
    width: int = 0
    height: int = 0
    channels: int = 0
    rate: int = 0
    aspect: tuple[int, int] = (1, 1)
    head: int = 0
    wait: Fraction = Fraction(0)
    shown: int = 0

    @property
    def total(self) -> int:
        """Ticks from the first sample's decoding to the last one's end."""
        return int(self.spans.sum())


def read(walk: Walk, found: Found, number: int, kind: str, scale: int) -> Track | None:
    """A stream out of its tables; None if they do not fit together."""
    need = {"stsd", "stts", "stsc", "stsz"}
    if not need <= set(found) or ("stco" in found) == ("co64" in found) or not scale:
        walk.say(f"The tables of stream {number} are not complete", next(iter(found.values()), (b"", 0))[1])
        return None
    at = found["stsd"][1]
    try:
        sizes = _sizes(walk, found["stsz"][0])
        spans = _runs(found["stts"][0], len(sizes))
        offsets = _offsets(found, sizes)
        delays = _runs(found["ctts"][0], len(sizes)) if "ctts" in found else np.zeros(len(sizes), np.int64)
        whole = _longs(found["stss"][0], 8, ">u4", 4) - 1 if "stss" in found else np.arange(len(sizes))
    except ValueError as error:
        walk.say(f"The tables of stream {number} do not fit together ({error})", at)
        return None
    if len(whole) and (whole[0] < 0 or whole[-1] >= len(sizes) or (np.diff(whole) <= 0).any()):
        walk.say(f"The list of whole pictures of stream {number} is not in order", at)
        return None
    times = np.concatenate([[0], np.cumsum(spans)[:-1]]) + delays if len(spans) else spans
    track = Track(number, kind, "", at, scale, offsets, sizes, times, spans, whole)
    groups = [(name, found[name][0]) for name in ("sgpd", "sbgp") if name in found]
    if groups and (kind == "vide" or groups != [("sgpd", ROLL), ("sbgp", _rolled(len(sizes)))]):
        walk.say(f"Stream {number} has groups of samples that this program does not write", found[groups[0][0]][1])
    return _described(walk, track, found["stsd"][0])


def _rolled(count: int) -> bytes:
    return bytes(4) + b"roll" + b"".join(n.to_bytes(4, "big") for n in (1, count, 1))


def _longs(body: bytes, at: int, kind: str, width: int) -> Longs:
    """The numbers of a table whose count stands before them; ValueError unless it is exactly as long."""
    count = int.from_bytes(body[at - 4 : at], "big")
    if len(body) < at or any(body[:4]) or count > MOST or len(body) != at + count * width:
        raise ValueError("a table is longer or shorter than it says")
    return np.frombuffer(body, kind, offset=at).astype(np.int64)


def _runs(body: bytes, count: int) -> Longs:
    """One number for each sample, out of a table of runs (stts, ctts)."""
    rows = _longs(body, 8, ">u4", 8).reshape(-1, 2)
    if (rows[:, 0] <= 0).any() or int(rows[:, 0].sum()) != count:
        raise ValueError("times for more or fewer samples than there are")
    runs: Longs = np.repeat(rows[:, 1], rows[:, 0])
    return runs


def _sizes(walk: Walk, body: bytes) -> Longs:
    each, count = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
    if each:
        if len(body) != 12 or body[:4] != bytes(4) or count > MOST or each * count > walk.size:
            raise ValueError("samples for more bytes than there are")
        return np.full(count, each, np.int64)
    sizes = _longs(body, 12, ">u4", 4)
    if (sizes <= 0).any():
        raise ValueError("samples of no bytes")
    return sizes


def _offsets(found: Found, sizes: Longs) -> Longs:
    """Where each sample begins: chunks' places (stco or co64), samples in each (stsc), sizes."""
    rows = _longs(found["stsc"][0], 8, ">u4", 12).reshape(-1, 3)
    chunks = _longs(found["stco"][0], 8, ">u4", 4) if "stco" in found else _longs(found["co64"][0], 8, ">u8", 8)
    if not len(sizes) and not len(rows) and not len(chunks):
        return sizes
    first = np.append(rows[:, 0], len(chunks) + 1)
    ordered = len(rows) and first[0] == 1 and (np.diff(first) > 0).all()
    if not ordered or (rows[:, 2] != 1).any() or (rows[:, 1] > len(sizes)).any():
        raise ValueError("chunks out of order")
    each = np.repeat(rows[:, 1], np.diff(first))
    if (each <= 0).any() or int(each.sum()) != len(sizes) or (chunks < 0).any():
        raise ValueError("chunks for more or fewer samples than there are")
    ends = np.cumsum(sizes)
    begins = ends - sizes
    offsets: Longs = np.repeat(chunks, each) + begins - np.repeat(begins[np.cumsum(each) - each], each)
    return offsets


def edited(walk: Walk, track: Track, body: bytes, at: int, scale: int) -> Track:
    """The stream with its edit list: at most a wait, and then all of it but what the coder put before.

    scale: ticks/s of the film.
    """
    wide = 8 if body[:1] == b"\1" else 4
    row = 2 * wide + 4
    count = int.from_bytes(body[4:8], "big")
    whole = -(-track.total * scale // track.scale) if track.scale else 0
    if not body:
        if len(track.times) and track.times.min() > 0:
            walk.say(f"Stream {track.number} begins late, without an edit list", at)
        return replace(track, shown=whole)
    if body[1:4] != bytes(3) or body[0] > 1 or len(body) != 8 + count * row or count not in (1, 2):
        walk.say(f"The edit list of stream {track.number} has {count} entries; one after a wait is what this program writes", at)
        return replace(track, shown=whole)
    rows = [body[8 + k * row : 8 + (k + 1) * row] for k in range(count)]
    parts = [(int.from_bytes(r[:wide], "big"), int.from_bytes(r[wide : 2 * wide], "big", signed=True), r[2 * wide :])
             for r in rows]
    if any(rate != b"\0\1\0\0" for *_, rate in parts) or (count == 2 and parts[0][1] != -1) or parts[-1][1] < 0:
        walk.say(f"The edit list of stream {track.number} jumps or changes the speed", at)
        return replace(track, shown=whole)
    wait = parts[0][0] if count == 2 else 0
    length, head, _ = parts[-1]
    if track.kind == "vide" and len(track.times):  # the last picture may be shown for a while, but has to be shown
        start, last, most = int(track.times.min()), int(track.times.max()), 2 * int(track.spans.max())
    else:
        start, last, most = head if head in PRIMING else 0, track.total - 2, 4
    if head != start:
        walk.say(f"The edit list of stream {track.number} begins {abs(head - start)} ticks "
                 f"{'after' if head > start else 'before'} its first sample: something is there that no player shows", at)
    tick = Fraction(track.scale, scale or 1)  # one of the film's, by which its lengths are rounded up
    if not last - head < length * tick <= last + most - head + tick:
        walk.say(f"The edit list of stream {track.number} ends at another time than its samples: something is there that no "
                 "player shows", at)
    return replace(track, head=head, wait=Fraction(wait, scale or 1), shown=wait + length)


def cover(walk: Walk, tracks: Sequence[Track], media: tuple[int, int]) -> None:
    """Every byte of the media has to belong to one sample of one stream."""
    offsets = np.concatenate([t.offsets for t in tracks]) if tracks else np.zeros(0, np.int64)
    sizes = np.concatenate([t.sizes for t in tracks]) if tracks else np.zeros(0, np.int64)
    order = np.argsort(offsets, kind="stable")
    begins = np.append(offsets[order], media[1])
    ends = np.append(media[0], offsets[order] + sizes[order])
    gaps = begins - ends
    free, twice = gaps[gaps > 0], gaps[gaps < 0]
    if len(free):
        walk.say(f"{int(free.sum())} bytes among the pictures and the sound belong to no sample, in {len(free)} places",
                 int(ends[gaps > 0][0]))
    if len(twice):
        walk.say(f"Samples lie over each other or outside of the pictures and the sound, in {len(twice)} places",
                 int(begins[gaps < 0][0]))


def _described(walk: Walk, track: Track, body: bytes) -> Track | None:
    """How the stream is coded: one entry, `avc1` or `mp4a`, every byte of it known."""
    size, codec = int.from_bytes(body[8:12], "big"), body[12:16].decode("latin-1")
    if body[:8] != b"\0\0\0\0\0\0\0\1" or size != len(body) - 8 or len(body) < 44:
        walk.say(f"Stream {track.number} is described more than once, or by more than belongs there", track.at)
        return None
    track = replace(track, codec=codec)
    wanted = {"vide": "avc1", "soun": "mp4a"}[track.kind]
    if codec != wanted:
        walk.say(f"Stream {track.number} is coded as '{shown(codec)}', which is not what this program writes", track.at)
        return track
    return _picture(walk, track, body) if codec == "avc1" else _sound(walk, track, body)


def _boxes(walk: Walk, track: Track, body: bytes, at: int, allowed: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    while at < len(body):
        size, kind = int.from_bytes(body[at : at + 4], "big"), body[at + 4 : at + 8].decode("latin-1")
        if size < 8 or at + size > len(body) or kind in found or kind not in allowed:
            walk.say(f"The description of stream {track.number} holds '{shown(kind)}', which this program does not write there",
                     track.at + at)
            return found
        found[kind] = body[at + 8 : at + size]
        at += size
    return found


def _rates(walk: Walk, track: Track, said: bytes) -> None:
    """Buffer 0, greatest and mean rate (bit/s): of pictures the stream's and 0, of sound what was asked for and the stream's."""
    buffer, most, mean = (int.from_bytes(said[i : i + 4], "big") for i in (0, 4, 8))
    told = int(track.sizes.sum()) * 8 * track.scale / max(track.total, 1)
    clamped = {AAC_MOST * channels * track.scale // 1024 for channels in range(1, 9)}  # more was asked for than AAC may have
    own, other = (most, mean == 0) if track.kind == "vide" else (mean, most % 1000 == 0 or most == mean or most in clamped)
    if buffer or len(said) != 12 or abs(own - told) > 8 + told / 50 or not other:
        walk.say(f"The bit rate that stream {track.number} says it has is not its own", track.at)


def _picture(walk: Walk, track: Track, body: bytes) -> Track | None:
    width, height = int.from_bytes(body[40:42], "big"), int.from_bytes(body[42:44], "big")
    fixed = bytes(6) + b"\0\1" + bytes(16) + body[40:44] + bytes.fromhex("0048000000480000000000000001")
    if body[16 : 16 + len(fixed)] != fixed or body[58:90] != bytes(32) or body[90:94] != b"\0\x18\xff\xff":
        what = "the name of a program" if any(body[58:90]) else "something that this program does not write"
        walk.say(f"The description of stream {track.number} holds {what}", track.at)
    found = _boxes(walk, track, body, 94, ("avcC", "pasp", "colr", "btrt", "fiel"))
    if "btrt" in found:
        _rates(walk, track, found["btrt"])
    colour = found.get("colr")
    if colour is not None and not (colour[:4] == b"nclx" and len(colour) == 11 and not colour[10] & 0x7F):
        walk.say(f"Stream {track.number} holds a colour profile", track.at)
    for name, length in (("pasp", 8), ("fiel", 2)):
        if name in found and len(found[name]) != length:
            walk.say(f"The box '{name}' of stream {track.number} is longer or shorter than it has to be", track.at)
    if len(found.get("pasp", b"")) == 8:
        track = replace(track, aspect=(int.from_bytes(found["pasp"][:4], "big"), int.from_bytes(found["pasp"][4:], "big")))
    sets = parameter_sets(found.get("avcC", b""))
    if sets is None:
        walk.say(f"The parameter sets of stream {track.number} are not one SPS and one PPS, or hold more than that", track.at)
        return replace(track, width=width, height=height)
    return replace(track, width=width, height=height, sets=sets)


def parameter_sets(body: bytes) -> tuple[bytes, bytes] | None:
    """(SPS, PPS) of an avcC that holds one of each and nothing else."""
    sps_end = 8 + int.from_bytes(body[6:8], "big")
    sps = body[8:sps_end]
    pps_end = sps_end + 3 + int.from_bytes(body[sps_end + 1 : sps_end + 3], "big")
    pps = body[sps_end + 3 : pps_end]
    if len(body) < 12 or body[:1] != b"\1" or body[4:6] != b"\xff\xe1" or body[sps_end : sps_end + 1] != b"\1":
        return None
    if len(sps) < 4 or not pps or sps[1:4] != body[1:4] or sps[0] & 31 != 7 or pps[0] & 31 != 8:
        return None
    tail = body[pps_end:]
    deep = sps[1] not in (66, 77, 88)  # these three say nothing of chroma and depth
    fits = len(tail) == 4 and tail[0] >> 2 == 63 and tail[1] >> 3 == 31 and tail[2] >> 3 == 31 and not tail[3]
    return (sps, pps) if (fits if deep else not tail) else None


def _sound(walk: Walk, track: Track, body: bytes) -> Track | None:
    channels, rate = int.from_bytes(body[32:34], "big"), int.from_bytes(body[40:42], "big")
    fixed = bytes(6) + b"\0\1" + bytes(8) + body[32:34] + b"\0\x10" + bytes(4) + body[40:42] + bytes(2)
    if body[16:44] != fixed:
        walk.say(f"The description of stream {track.number} holds something that this program does not write", track.at)
    found = _boxes(walk, track, body, 44, ("esds", "btrt"))
    if "btrt" in found:
        _rates(walk, track, found["btrt"])
    config = _config(found.get("esds", b""), track.number, found.get("btrt", b"")[4:])
    if config is None:
        walk.say(f"The description of the sound in stream {track.number} is not as this program writes it", track.at)
        return replace(track, channels=channels, rate=rate)
    bits = int.from_bytes(config[:2], "big")
    kind, index, layout = bits >> 11, bits >> 7 & 15, bits >> 3 & 15
    known = kind == 2 and index < len(AAC_RATES) and layout in AAC_CHANNELS and not bits & 7
    fits = known and AAC_CHANNELS[layout] == channels and {AAC_RATES[index] % 65536, track.scale % 65536} == {rate}
    if not fits or config[2:] not in (b"", b"\x56\xe5\0"):
        walk.say(f"The sound in stream {track.number} is not AAC as this program writes it", track.at)
    return replace(track, channels=channels, rate=AAC_RATES[index] if known else rate, config=config)


def _config(body: bytes, number: int, rates: bytes) -> bytes | None:
    """AudioSpecificConfig, out of an elementary stream descriptor that holds nothing else (ISO/IEC 14496-1, 7.2.6).

    rates: the greatest and the mean bit rate as `btrt` has them.
    """
    parts: list[bytes] = []
    rest = body[4:]
    for tag, skip in ((3, 3), (4, 13), (5, None)):
        if not rest or rest[0] != tag or rest[1:4] != b"\x80\x80\x80" or len(rest) < 5 or len(rest) < 5 + rest[4]:
            return None
        inside, after = rest[5 : 5 + rest[4]], rest[5 + rest[4] :]
        parts.append(after)
        if skip is None:
            config, rest = inside, b""
        else:
            parts.append(inside[:skip])
            rest = inside[skip:]
    outer, stream, fields, coding, last = parts
    good = (body[:4] == bytes(4) and not outer and stream == number.to_bytes(2, "big") + b"\0"
            and fields == b"\x06\x80\x80\x80\x01\x02"
            and coding[:2] == b"\x40\x15" and coding[2:5] == bytes(3) and coding[5:] == rates and not last)
    return config if good and 2 <= len(config) <= 5 else None


