"""The container: is there anything in the finished file beside the pictures and the sound that the plan says?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from facedouble import disk
from facedouble.audit import boxes, ebml, nal, riff
from facedouble.audit.strings import BLOCK, Hit, Needle, Search, needles, once, text_in
from facedouble.audit.tables import Track
from facedouble.audit.verdict import Check, Finding
from facedouble.audit.walk import Odd, Walk, shown
from facedouble.errors import InputRefused
from facedouble.media import cross
from facedouble.pipeline.audit.expected import Expecting, differences

STRETCH: Final = 2000  # samples of sound that are held at once
MOST_TOLD: Final = 20  # findings of one check
MOST_NEEDLES: Final = 2000
SILENT_TAGS: Final = {"major_brand", "minor_version", "compatible_brands", "language", "duration"}  # say nothing of the footage
PLAIN_TAGS: Final = {("file", "major_brand", "isom"), ("file", "minor_version", "512"),
                     ("file", "compatible_brands", "isomiso2avc1mp41"), ("file", "encoder", "Lavf")}
PLAIN_SIDE: Final = {"skip_samples"}
SYSTEM: Final = ("security.selinux", "security.capability", "security.ima", "security.evm")  # set by the system itself

PARTS: Final = ("A reader of its own walks the file and compares each part with what this program writes: no tags, dates, "
                "names, places, thumbnails, other streams, hidden pieces, or bytes that belong to nothing.")
UNITS: Final = ("Every unit of every coded picture is looked at: one picture in each sample, no messages, no filler, no "
                "second sets of parameters. What a decoder leaves at the end of a picture is only searched for text.")
AAC: Final = ("Each AAC sample has to begin with sound, and its last bits have to matter: they are changed, and another sound "
              "or an error has to come out. With more than two channels, what lies between them is not tried.")
FFMPEG: Final = "FFmpeg reads the file with its edit list and without: the same streams, as many pictures, no tags, no chapters."
STRINGS: Final = ("Names, folders, tags and notes of the footage are sought in every byte: as text, in UTF-16, base64 and "
                  "hexadecimal, in deflated data, in the sound at every bit; also the begins of pictures, and any long text. "
                  "Short names, which chance writes into a film of this length, are sought outside of pictures and sound "
                  "only.")
COUNTS: Final = ("The number of pictures, the time of each, their size, and the length of each sound are compared with the "
                 "plan's.")
DISK: Final = ("On the disk: no notes beside the file (extended attributes), no other names, no right for everybody to write, "
               "not the footage's date. The date of the render stays with the file until it is copied without it.")


@dataclass(frozen=True)
class _Walked:
    """A file that was walked, of whichever kind."""

    kind: str
    tracks: tuple[Track, ...]
    odds: tuple[Odd, ...]
    more: int
    parts: int
    media: tuple[int, int]


def container(output: Path, sources: Sequence[Path], told: Expecting, words: Sequence[str] = ()) -> list[Check]:
    """Every check of the container. sources: the footage, that of this file first; words: names that must be read nowhere."""
    walked = _walk(output)
    return [_structure(walked, output), _pictures(walked, output), _sound(walked, output), _second(walked, output),
            _strings(walked, output, sources, words), _counts(walked, told), _around(output, sources, words)]


def _walk(output: Path) -> _Walked:
    with disk.open_read(output) as file:
        head = file.read(12)
        if head[:4] == b"\x1a\x45\xdf\xa3":
            wrapped = ebml.walk_wrapped(file)
            return _Walked("Matroska", wrapped.tracks, wrapped.odds, wrapped.more, wrapped.elements, wrapped.media)
        if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
            wave = riff.walk_wave(file)
            none = np.zeros(0, np.int64)
            track = Track(1, "soun", "pcm", 0, max(wave.rate, 1), none, none, none, np.array([wave.samples]), none,
                          channels=wave.channels,
                          rate=wave.rate)
            return _Walked("WAV", (track,), wave.odds, wave.more, wave.chunks, wave.media)
        film = boxes.walk_film(file)
        return _Walked("MP4", film.tracks, film.odds, film.more, film.boxes, film.media)


def _told(odds: Sequence[Odd], more: int) -> tuple[Finding, ...]:
    """Findings, no more than one can read."""
    made = [Finding(f"{odd.what} (byte {odd.at}).") for odd in odds[:MOST_TOLD]]
    left = more + max(len(odds) - MOST_TOLD, 0)
    return (*made, Finding(f"And {left} more like these.")) if left else tuple(made)


def _structure(walked: _Walked, output: Path) -> Check:
    return Check("parts of the file", "container", PARTS, walked.parts, "parts", _told(walked.odds, walked.more),
                 {"bytes": disk.size(output), "kind": walked.kind})


def _pictures(walked: _Walked, output: Path) -> Check:
    units = 0
    with disk.open_read(output) as file:
        walk = Walk(file)
        for track in walked.tracks:
            if track.kind == "vide":
                units += nal.pictures(walk, track)
    return Check("coded pictures", "container", UNITS, units, "units", _told(walk.odds, walk.more))


def _pieces(file: Walk, track: Track) -> Iterator[tuple[int, list[bytes]]]:
    """(number of the first, samples) of a stream, so many at a time."""
    for start in range(0, len(track.offsets), STRETCH):
        rows = zip(track.offsets[start : start + STRETCH].tolist(), track.sizes[start : start + STRETCH].tolist(), strict=True)
        yield start, [file.read(at, min(size, 1 << 16)) for at, size in rows]


def _sound(walked: _Walked, output: Path) -> Check:
    """What stands before and behind the sound in each of its samples."""
    findings: list[Finding] = []
    looked = 0
    with disk.open_read(output) as file:
        walk = Walk(file)
        for track in walked.tracks:
            if track.kind != "soun" or not track.config:
                continue
            begins = 1 if track.channels == 2 else 0  # a pair of channels, or one
            for start, samples in _pieces(walk, track):
                looked += len(samples)
                for k, sample in enumerate(samples):
                    if sample[:1] and sample[0] >> 5 != begins:
                        what = {4: "data", 6: "filler"}.get(sample[0] >> 5, "something else")
                        findings.append(Finding(f"Sample {start + k} of the sound begins with {what} instead of sound."))
                findings += [Finding(f"Sample {start + k} of the sound holds something behind the sound.")
                             for k in cross.idle(samples, track.config)]
    return Check("coded sound", "container", AAC, looked, "samples", tuple(findings[:MOST_TOLD]), {"found": len(findings)})


def _second(walked: _Walked, output: Path) -> Check:
    name = "another reader"
    try:
        first, second = cross.reading(output), cross.reading(output, edits=False, decode=False)
    except InputRefused as error:
        return Check(name, "container", FFMPEG, 0, "packets", (Finding(f"FFmpeg cannot read the file: {error}"),))
    wrong: list[str] = []
    kinds = [{"vide": "video", "soun": "audio"}.get(t.kind, t.kind) for t in walked.tracks]
    if [s.kind for s in first.streams] != kinds:
        wrong.append(f"FFmpeg sees {_list(s.kind for s in first.streams)}, and the file's own index names {_list(kinds)}")
    if sum(k == "video" for k in kinds) > 1:
        wrong.append("There is more than one stream of pictures")
    for stream, bare in zip(first.streams, second.streams, strict=False):
        label = f"stream {stream.index}"
        if (stream.kind == "video" and stream.hidden) or stream.hidden > 1:
            wrong.append(f"In {label} {stream.hidden} pictures or pieces of sound are hidden from players")
        if stream.packets != bare.packets:
            wrong.append(f"Without the edit list, {label} has {bare.packets} pieces instead of {stream.packets}: some are hidden")
        if stream.kind == "video" and stream.frames != stream.packets:
            wrong.append(f"In {label} {stream.packets} coded pictures give {stream.frames}")
        if stream.cover:
            wrong.append(f"In {label} there is a picture for a cover")
        if stream.broken:
            wrong.append(f"In {label} {stream.broken} pieces are damaged")
        if set(stream.side) - PLAIN_SIDE:
            wrong.append(f"In {label} there are notes beside the pictures ({shown(', '.join(stream.side))})")
    for stream, track in zip(first.streams, walked.tracks, strict=False):
        if len(track.offsets) and stream.packets != len(track.offsets):
            wrong.append(f"Stream {stream.index} has {len(track.offsets)} samples in the index, and FFmpeg sees {stream.packets}")
    plain = PLAIN_TAGS | {(f"stream {k}", "language", "und") for k in range(len(first.streams))}
    wrong += [f"There is a tag '{shown(k)}' in the {where}: '{shown(text)}'" for where, k, text in first.tags
              if (where, k, text) not in plain]
    if first.chapters:
        wrong.append(f"There are {first.chapters} chapters")
    packets = sum(s.packets for s in first.streams)
    return Check(name, "container", FFMPEG, packets, "packets", tuple(Finding(f"{w}.") for w in wrong[:MOST_TOLD]),
                 {"frames": sum(s.frames for s in first.streams if s.kind == "video"),
                  "samples": sum(s.samples for s in first.streams if s.kind == "audio")})


def _list(kinds: object) -> str:
    return ", ".join(kinds) or "nothing"  # type: ignore[arg-type]


def of_footage(sources: Sequence[Path], words: Sequence[str] = ()) -> list[Needle]:
    """Strings that would tell where a film comes from: file names, folders, tags, notes of the camera; and the words."""
    found = [Needle(w, "a word that must not be read") for w in words]
    for source in sources:
        whole = source.resolve()
        found += [Needle(whole.name, "the name of the footage"), Needle(whole.stem, "the name of the footage"),
                  Needle(str(whole.parent), "the folder of the footage")]
        found += [Needle(name, "the name of a user") for root, name, *_ in [whole.parts[1:]] if root in ("home", "Users")]
        with suppress(InputRefused):
            found += [Needle(text, f"the tag '{shown(key)}' of the footage") for _, key, text in cross.tags(source)
                      if key.lower() not in SILENT_TAGS]
        with disk.open_read(source) as file:
            if file.read(8)[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"):
                found += [Needle(text, f"the box '{shown(kind)}' of the footage") for kind, text in boxes.texts(file)]
    return needles(found)[:MOST_NEEDLES]


def _strings(walked: _Walked, output: Path, sources: Sequence[Path], words: Sequence[str]) -> Check:
    sought = of_footage(sources, words)
    with disk.open_read(output) as file:
        walk = Walk(file)
        coded = walked.media[1] - walked.media[0]
        search = Search(sought, coded, walk.size - coded)
        hits: list[Hit] = search.file(walk, walked.media)
        runs: list[str] = []
        for at in range(0, walk.size, BLOCK):
            block = walk.read(at, BLOCK + 4096)
            hits += search.inflated(block, at)
            runs += [text for _, text in text_in(block)]
        for track in walked.tracks:
            if track.kind == "soun" and track.config:
                for _, samples in _pieces(walk, track):
                    joined = b"".join(samples)
                    hits += search.shifted(joined)
                    runs += [text for _, text in text_in(joined)]
    findings = [Finding(f"'{shown(h.needle.text)}' ({h.needle.what}) is in the file, {h.how} (byte {h.at}).") for h in once(hits)]
    findings += [Finding(f"There is a text among the coded pictures or the sound: '{shown(run)}'.")
                 for run in dict.fromkeys(runs)]
    return Check("strings of the footage", "container", STRINGS, walk.size, "bytes", tuple(findings[:MOST_TOLD]),
                 {"strings": len(sought), "too short": search.skipped})


def _counts(walked: _Walked, told: Expecting) -> Check:
    name = "counts and times"
    if told is None:
        return Check(name, "container", COUNTS, missing="It was not said what the file should hold; give the footage and plan.")
    try:
        plan = told(False) if callable(told) else told
        findings = differences(walked.tracks, walked.kind == "MP4", plan)
        if findings and callable(told):
            findings = differences(walked.tracks, walked.kind == "MP4", told(True))
    except (InputRefused, OSError) as error:
        return Check(name, "container", COUNTS, missing=f"The footage cannot be read: {error}")
    return Check(name, "container", COUNTS, len(plan.ticks), "frames", tuple(findings[:MOST_TOLD]))


def _around(output: Path, sources: Sequence[Path], words: Sequence[str]) -> Check:
    """What lies around the file on its disk."""
    wrong: list[str] = []
    if disk.placed(output) is not None:
        said = [f"The file's own name holds '{shown(w)}', which must not be read" for w in words
                if w.casefold() in output.name.casefold()]
        return Check("around the file", "container", DISK, 1, "file", tuple(Finding(f"{w}.") for w in said), {"encrypted": True})
    held = os.stat(output)
    if held.st_nlink != 1:
        wrong.append(f"The file has {held.st_nlink - 1} other names on this disk")
    open_folder = os.stat(output.parent).st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH  # a stick without owners
    if held.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX) or (held.st_mode & stat.S_IWOTH and not open_folder):
        wrong.append("Everybody on this machine may write the file, or it is marked as a program")
    with suppress(OSError):
        wrong += [f"The disk keeps a note beside the file: '{shown(name)}'" for name in os.listxattr(output)
                  if name not in SYSTEM]
    for source in sources:
        with suppress(OSError):
            kept = os.stat(source)
            same = held.st_mtime_ns == kept.st_mtime_ns and held.st_ctime_ns != kept.st_mtime_ns
            if same and not disk.same(output, source):
                wrong.append("The file has the footage's time of recording")
    wrong += [f"The file's own name holds '{shown(w)}', which must not be read" for w in words
              if w.casefold() in output.name.casefold()]
    return Check("around the file", "container", DISK, 1, "file", tuple(Finding(f"{w}.") for w in wrong))
