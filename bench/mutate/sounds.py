"""Faults of sound: what must not be heard is put into a clean film, the pictures' packets staying as they are.

A place is an eighth of the speech that is protected; faults of bleeps, pauses and words have places of their own kind. Not every
film can have every fault: `suits` says so. The report beside the clean film says who speaks when.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import soxr

from bench.mutate.faults import PLACES, Case, Fault
from bench.mutate.spoken import spoken, with_pitch
from facedouble.audit.said import Said, Spans, joined, without
from facedouble.media.encode import AAC_LAYOUTS, _Track
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.options import EncodeOptions
from facedouble.pipeline.audit.said import said_of_report
from facedouble.types import Floats

FADE: Final = 0.003  # s
ROOM: Final = 5e-3  # rms of what is louder than any film's room tone
TURN: Final = 2000  # ms of a fault that lasts


@dataclass
class Film:
    """A clean film's sound and its source's, streams (n, C) on the output's samples; what may be heard, ms of the clip."""

    out: list[Floats]
    was: list[Floats]
    rates: list[int]
    said: Said

    @property
    def protected(self) -> Spans:
        """Speech of those who are not kept, outside bleeps."""
        found = joined([(t.start, t.stop) for t in self.said.turns if t.voice != "keep"]) or ((0, self.said.length),)
        return without(found, [(a - 60, b + 60) for a, b, _ in self.said.bleeps], self.said.passes())

    def span(self, spans: Spans, place: int, ms: int) -> tuple[int, int]:
        """`ms` at an eighth of some spans, where the source is loudest near by, inside one of them."""
        spans = tuple(s for s in spans if s[1] - s[0] >= ms) or (max(spans, key=lambda s: s[1] - s[0]),)
        total = sum(b - a for a, b in spans)
        at = total * (2 * place + 1) // (2 * PLACES)
        for a, b in spans:
            if at < b - a:
                break
            at -= b - a
        long = min(ms, b - a)
        starts = range(max(a, a + at - 400), min(b - long, a + at + 400) + 1, 20) or [max(b - long, a)]
        best = max(starts, key=lambda x: self._power(x, x + long))
        return best, best + long

    def _power(self, start: int, stop: int) -> float:
        a, b = (x * self.rates[0] // 1000 for x in (start, stop))
        return float(np.square(self.was[0][a:b]).sum())

    def put(self, span: tuple[int, int], change: Callable[[Floats, Floats, int], Floats]) -> None:
        """In each stream, (n, C) of the output and of the source in a span become what `change` makes of them, faded in."""
        for k, rate in enumerate(self.rates):
            a, b = (x * rate // 1000 for x in span)
            b = min(b, len(self.out[k]))
            new = change(self.out[k][a:b], self.was[k][a:b], rate)
            edge = np.minimum(np.minimum(np.arange(b - a) + 0.5, b - a - np.arange(b - a) - 0.5) / (FADE * rate), 1)[:, None]
            self.out[k][a:b] = edge * new[:b - a] + (1 - edge) * self.out[k][a:b]


def said_of(case: Case) -> Said:
    """What may be heard, by the report beside the clean film."""
    return said_of_report(json.loads(case.clean.with_suffix(".report.json").read_text()), probe(case.source))


def film_of(case: Case) -> Film:
    """A case's sound."""
    source, clean = probe(case.source), probe(case.clean)
    out = [np.concatenate(list(pcm(clean, a.index))) for a in clean.audio]
    was = []
    for mine, theirs, sound in zip(source.audio, clean.audio, out, strict=True):
        original = np.concatenate(list(pcm(source, mine.index)))
        late = mine.start - min([source.start, *(a.start for a in source.audio)])
        lead = np.zeros((round(late * mine.rate), mine.channels), np.float32)
        made = soxr.resample(np.concatenate([lead, original]), mine.rate, theirs.rate).astype(np.float32)
        was.append(np.pad(made, ((0, max(len(sound) - len(made), 0)), (0, 0)))[:len(sound)])
    return Film(out, was, [a.rate for a in clean.audio], said_of(case))


def write(clean: Path, out: Path, sounds: Sequence[tuple[int, Floats]]) -> None:
    """The clean film with other sound: (samples/s, (n, C)) a stream."""
    with av.open(str(clean)) as old, av.open(str(out), "w", format="mp4", container_options={
            "fflags": "+bitexact", "movflags": "+faststart", "empty_hdlr_name": "1"}) as box:
        video = old.streams.video[0]
        copied: Any = box.add_stream_from_template(video)
        tracks = []
        for rate, sound in sounds:
            stream: Any = box.add_stream("aac", rate=rate)
            layout = AAC_LAYOUTS[sound.shape[1]]
            stream.codec_context.layout = layout
            stream.codec_context.bit_rate = EncodeOptions().audio_bit_rate
            stream.codec_context.flags |= av.codec.context.Flags.bitexact
            stream.time_base = Fraction(1, rate)
            blocks = (sound[k:k + 8192] for k in range(0, len(sound), 8192))
            tracks.append(_Track(stream, rate, sound.shape[1], Fraction(0), blocks, layout))
        for packet in old.demux(video):
            if packet.dts is None:
                continue
            until = packet.dts * packet.time_base + Fraction(1, 2)
            packet.stream = copied
            box.mux(packet)
            _level(box, tracks, until)
        _level(box, tracks, None)
        for track in tracks:
            box.mux(track.stream.encode(None))


def _level(box: Any, tracks: Sequence[_Track], until: Fraction | None) -> None:
    for track in tracks:
        while not track.ended and (until is None or track.time < until):
            for frame in track.frames():
                box.mux(track.stream.encode(frame))


Change = Callable[[Film, Case, int, float], Sequence[tuple[int, Floats]] | None]
"""film, case, place, strength: changes `film.out`; further streams, if any."""


def _kind(change: Change) -> Callable[[Case, int, float, Path], None]:
    def make(case: Case, place: int, strength: float, out: Path) -> None:
        film = film_of(case)
        more = change(film, case, place, strength) or ()
        write(case.clean, out, [*zip(film.rates, film.out, strict=True), *more])

    return make


def _gain(db: float) -> np.float32:
    return np.float32(10 ** (db / 20))


def _under(out: Floats, was: Floats, db: float) -> np.float32:
    """The factor that brings the source `db` under the output; under itself where nobody speaks there.

    So far under a room tone it would not be in the film: AAC writes noise as "noise", and decodes other.
    """
    own, theirs = (float(np.sqrt(np.mean(x.astype(np.float64)**2))) for x in (was, out))
    return np.float32((theirs if theirs > ROOM else own) / max(own, 1e-6)) * _gain(db)


def _nothing(film: Film, case: Case, place: int, strength: float) -> None:
    """No fault: coded once more."""


def _original(film: Film, case: Case, place: int, ms: float) -> None:
    film.put(film.span(film.protected, place, round(ms)), lambda out, was, rate: was)


def _mix(film: Film, case: Case, place: int, db: float) -> None:
    film.put(film.span(film.protected, place, TURN), lambda out, was, rate: out + _under(out, was, -db) * was)


def _kept(film: Film, case: Case, place: int, share: float) -> None:
    turns = [(t.start, t.stop) for t in film.said.turns if t.voice != "keep"] or [(0, film.said.length)]
    a, b = turns[place % len(turns)]
    film.put((a, a + round((b - a) * share)), lambda out, was, rate: was)


def _pitched(film: Film, case: Case, place: int, semitones: float) -> None:
    way = 1 if place % 2 else -1
    a, b = film.span(film.protected, place, 4000)
    film.put((a, b), lambda out, was, rate: with_pitch(was, rate, way * semitones))


def _right(film: Film, case: Case, place: int, db: float) -> None:
    def change(out: Floats, was: Floats, rate: int) -> Floats:
        new = out.copy()
        new[:, 1] += was[:, 1] * _under(out, was, -db)
        return new

    film.put(film.span(film.protected, place, TURN), change)


def _inverted(film: Film, case: Case, place: int, db: float) -> None:
    film.put(film.span(film.protected, place, TURN), lambda out, was, rate: out - _under(out, was, -db) * was)


def _second(film: Film, case: Case, place: int, db: float) -> Sequence[tuple[int, Floats]]:
    more = np.zeros_like(film.was[0])
    a, b = (x * film.rates[0] // 1000 for x in film.span(film.protected, place, TURN))
    more[a:b] = film.was[0][a:b] * _gain(-db)
    return [(film.rates[0], more)]


def _banded(film: Film, case: Case, place: int, db: float) -> None:
    def change(out: Floats, was: Floats, rate: int) -> Floats:
        size = np.fft.rfftfreq(len(was), 1 / rate)
        kept = np.fft.rfft(was, axis=0) * ((size > 300) & (size < 3400))[:, None]
        return out + _under(out, was, -db) * np.fft.irfft(kept, len(was), axis=0).astype(np.float32)

    film.put(film.span(film.protected, place, TURN), change)


def _slower(film: Film, case: Case, place: int, percent: float) -> None:
    def change(out: Floats, was: Floats, rate: int) -> Floats:
        made = soxr.resample(was, 1000, 1000 * (1 + percent / 100)).astype(np.float32)
        return np.pad(made, ((0, max(len(out) - len(made), 0)), (0, 0)))[:len(out)]

    film.put(film.span(film.protected, place, TURN), change)


def _moved(film: Film, case: Case, place: int, ms: float) -> None:
    def change(out: Floats, was: Floats, rate: int) -> Floats:
        return out + _under(out, was, -6) * np.roll(was, round((1 if place % 2 else -1) * ms * rate / 1000), 0)

    film.put(film.span(film.protected, place, TURN), change)


def _unbleeped(film: Film, case: Case, place: int, share: float) -> None:
    """The new voice goes on where a bleep should be: a piece of it from elsewhere."""
    a, b, _ = film.said.bleeps[place % len(film.said.bleeps)]
    x, _ = film.span(film.said.spoken("double", "revoice"), place, b - a)
    long = round((b - a) * share)

    for k, rate in enumerate(film.rates):
        first, there, n = a * rate // 1000, x * rate // 1000, long * rate // 1000
        film.out[k][first:first + n] = film.out[k][there:there + n]


def _beneath(film: Film, case: Case, place: int, db: float) -> None:
    a, b, _ = film.said.bleeps[place % len(film.said.bleeps)]
    film.put((a, b), lambda out, was, rate: out + _under(out, was, -db) * was)


def _named(film: Film, case: Case, place: int, db: float) -> None:
    """The word in a third voice, instead of what is heard there; as loud as speech of -26 dB, less `db`."""
    word = case.words[place % len(case.words)]
    said = spoken(f"My friend {word} lives in that city.", "en-us" if place % 2 else "en-gb", 16_000)
    a, _ = film.span(film.protected, place, len(said) * 1000 // 16_000)
    film.put((a, a + len(said) * 1000 // 16_000), lambda out, was, rate: np.repeat(
        _fit(soxr.resample(said, 16_000, rate) * _gain(-db), len(out))[:, None], out.shape[1], 1))


def _fit(sound: Floats, samples: int) -> Floats:
    return np.asarray(np.pad(sound, (0, max(samples - len(sound), 0)))[:samples], np.float32)


def _late(film: Film, case: Case, place: int, ms: float) -> None:
    """All sound later (odd places) or earlier."""
    for k, rate in enumerate(film.rates):
        by = round(ms * rate / 1000) * (1 if place % 2 else -1)
        moved = np.zeros_like(film.out[k])
        moved[max(by, 0):len(moved) + min(by, 0)] = film.out[k][max(-by, 0):len(moved) - max(by, 0)]
        film.out[k] = moved


def _swapped(film: Film, case: Case, place: int, share: float) -> None:
    """Who should be protected is heard, and what was made for them lies over who should be kept."""
    mine = [t for t in film.said.turns if t.voice != "keep"]
    theirs = [t for t in film.said.turns if t.voice == "keep"]
    one, other = mine[place % len(mine)], theirs[place % len(theirs)]
    long = round(min(one.stop - one.start, other.stop - other.start) * share)
    for k, rate in enumerate(film.rates):
        a, b, n = one.start * rate // 1000, other.start * rate // 1000, long * rate // 1000
        made = film.out[k][a:a + n].copy()
        film.out[k][a:a + n] = film.was[k][a:a + n]
        film.out[k][b:b + n] = made


def _pauses(film: Film, case: Case, place: int, db: float) -> None:
    """The real pause, with somebody else who speaks in it; as loud as speech of -26 dB, less `db`."""
    words = spoken("It is seven o'clock and the train to the city is late", "en-us", 16_000)
    film.put(film.span(film.said.still(), place, 900), lambda out, was, rate: was + np.repeat(
        _fit(soxr.resample(words, 16_000, rate) * _gain(-db), len(out))[:, None], out.shape[1], 1))


FAULTS: Final = (
    Fault("sound: original voice (ms)", "sound", (1000, 500, 200, 100), _kind(_original)),
    Fault("sound: original mixed in (dB below)", "sound", (6, 12, 20, 26), _kind(_mix)),
    Fault("sound: wrong turn kept (share of it)", "sound", (1.0, 0.5, 0.25), _kind(_kept)),
    Fault("sound: original pitched (semitones)", "sound", (2, 3, 4), _kind(_pitched)),
    Fault("sound: original in one channel (dB below)", "sound", (0, 12, 20, 26), _kind(_right)),
    Fault("sound: original inverted and mixed in (dB below)", "sound", (6, 12, 20, 26), _kind(_inverted)),
    Fault("sound: original in a second stream (dB down)", "sound", (0, 20, 40, 60), _kind(_second)),
    Fault("sound: original as by telephone, mixed in (dB below)", "sound", (6, 12, 20), _kind(_banded)),
    Fault("sound: original slower (percent)", "sound", (0.1, 0.3, 1.0), _kind(_slower)),
    Fault("sound: original mixed in beside its time (ms)", "sound", (30, 120, 240), _kind(_moved)),
    Fault("sound: bleep missing (share of it)", "sound", (1.0, 0.5, 0.25), _kind(_unbleeped)),
    Fault("sound: original under the bleep (dB below)", "sound", (6, 12, 20, 26), _kind(_beneath)),
    Fault("sound: a name is said (dB down)", "sound", (0, 6, 12), _kind(_named)),
    Fault("sound: not in time (ms)", "sound", (250, 120, 80, 60), _kind(_late)),
    Fault("sound: decisions swapped (share of a turn)", "sound", (1.0, 0.5, 0.25), _kind(_swapped)),
    Fault("sound: real pause with somebody in it (dB down)", "sound", (0, 12, 24), _kind(_pauses)),
)
NOMINAL: Final = {
    "sound: original voice (ms)": 200, "sound: original mixed in (dB below)": 20, "sound: wrong turn kept (share of it)": 0.25,
    "sound: original pitched (semitones)": 4, "sound: original in one channel (dB below)": 20,
    "sound: original inverted and mixed in (dB below)": 20, "sound: original in a second stream (dB down)": 60,
    "sound: original as by telephone, mixed in (dB below)": 12, "sound: original slower (percent)": 1.0,
    "sound: original mixed in beside its time (ms)": 240, "sound: bleep missing (share of it)": 0.5,
    "sound: original under the bleep (dB below)": 20, "sound: a name is said (dB down)": 6, "sound: not in time (ms)": 120,
    "sound: decisions swapped (share of a turn)": 0.25, "sound: real pause with somebody in it (dB down)": 12,
}
"""The strength at which each has to be found."""
NOTHING: Final = Fault("sound: none, coded once more", "sound", (0,), _kind(_nothing))


def suits(kind: str, case: Case) -> bool:
    """Whether a film can have a fault."""
    info, said = probe(case.source), said_of(case)
    if not info.audio or said.whole:
        return False
    voices = {t.voice for t in said.turns}
    other = bool(voices & {"double", "revoice"})
    if "one channel" in kind:
        return any(a.channels == 2 for a in info.audio)
    if "bleep missing" in kind:
        return bool(said.bleeps) and other
    if "bleep" in kind:
        return bool(said.bleeps)
    if "name" in kind:
        return bool(case.words)
    if "in time" in kind or "pitched" in kind:
        return other
    if "swapped" in kind:
        return "keep" in voices and len(voices) > 1
    if "pause" in kind:
        return any(b - a >= 500 for a, b in said.still())
    return True
