"""What was measured of a film's sound, as checks: one sentence for each thing that must not be heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from facedouble.audit.attack import Verdict
from facedouble.audit.lag import Lag
from facedouble.audit.still import Stillness
from facedouble.audit.traces import Trace
from facedouble.audit.verdict import Check, Figure, Finding
from facedouble.audit.voices import Piece, likeness, own
from facedouble.options import AuditOptions
from facedouble.types import Value

GROUP: Final = "heard"
STREAMS: Final = "sound streams"
TRACES: Final = "the original in the sound"
LEVEL: Final = "silence, room tone and bleeps"
TIME: Final = "sound in time"
VOICES: Final = "whose voice it is like"
GALLERY: Final = "whose voice it is, among others"
WORDS: Final = "names in the sound"
SUBTITLES: Final = "names in the subtitles"
INSTALL: Final = "run `facedouble models install --audit`"
HINTS: Final = {
    "silence": "sound where the plan says that nothing is heard",
    "tone": "something other than the room tone where only the room tone may be heard",
    "below a bleep": "something else than the bleep where a bleep covers a word",
    "no bleep": "no bleep where the plan has one",
}


@dataclass(frozen=True)
class Stream(Value):
    """One sound stream: samples/s, channels, samples; and of what has to be there, on the output's clock."""

    rate: int
    channels: int
    samples: int


def missing(name: str, why: str, needed: bool = True) -> Check:
    """A check that could not be made."""
    return Check(name, GROUP, "not tried", missing=why, needed=needed)


def streams(output: Sequence[Stream], wanted: Sequence[Stream]) -> Check:
    """Whether the output has the source's streams, in their order and as long."""
    found = []
    if len(output) != len(wanted):
        found.append(Finding(f"The film has {len(output)} sound streams, and the footage {len(wanted)}."))
    for k, (is_, was) in enumerate(zip(output, wanted, strict=False), 1):
        if (is_.rate, is_.channels) != (was.rate, was.channels):
            found.append(Finding(f"Sound stream {k} has {is_.channels} channels of {is_.rate} samples/s instead of {was.channels} of "
                                 f"{was.rate}: not the stream that belongs there."))
        elif is_.samples != was.samples:
            found.append(Finding(f"Sound stream {k} has {is_.samples} samples instead of {was.samples}: something was put in or left "
                                 "out.", score=float(is_.samples), limit=float(was.samples)))
    return Check(STREAMS, GROUP, "Number, order, channels and samples of the sound streams against the footage.", len(output),
                 "streams", tuple(found), {f"samples {k}": s.samples for k, s in enumerate(output, 1)})


def traces(at: Sequence[float], found: Sequence[Trace], o: AuditOptions) -> Check:
    """Seconds `at` of the clip, and what of the original was found in each."""
    bad = [(round(max(t, 0) * 1000), f) for t, f in zip(at, found, strict=True) if f.single > o.trace or f.lasting > o.lasting]
    findings = []
    for start, stop in runs([ms for ms, _ in bad], 1000):
        worst = max((f for ms, f in bad if start <= ms < stop), key=lambda f: f.score)
        limit = o.trace if worst.single > o.trace else o.lasting
        findings.append(Finding("The original sound is heard here, or traces of it.", ms=(start, stop), score=worst.score, limit=limit))
    figures: dict[str, Figure] = {"most, .2 s": max((f.single for f in found), default=0.0),
                                  "most, lasting": max((f.lasting for f in found), default=0.0)}
    return Check(TRACES, GROUP, "Every second of the footage's sound, wherever the plan does not let it through, sought in every channel "
                 "of every sound stream, up to .25 s away, upright and inverted, by windows of .2 s and by 4 s at one lag (whitened "
                 "correlation, up to 8 kHz; unrelated sound reaches about 5.5).", len(found), "seconds", tuple(findings), figures)


def runs(starts: Sequence[int], long: int) -> list[tuple[int, int]]:
    """Spans of `long` that begin there, in order; those that touch are one."""
    made: list[tuple[int, int]] = []
    for start in starts:
        if made and start <= made[-1][1] + 1:
            made[-1] = made[-1][0], max(made[-1][1], start + long)
        else:
            made.append((start, start + long))
    return made


def level(found: Sequence[Stillness]) -> Check:
    """Each stream's stillness."""
    findings = []
    for k, one in enumerate(found, 1):
        for kind, words in HINTS.items():
            mine = [f for f in one.found if f.kind == kind]
            for start, stop in runs([f.start for f in mine], 51):
                over = max(f.over for f in mine if start <= f.start < stop)
                where = f" of sound stream {k}" if len(found) > 1 else ""
                findings.append(Finding(f"There is {words}{where}.", ms=(start, stop), score=over, limit=0.0))
    figures: dict[str, Figure] = {}
    for kind in ("silence", "tone", "bleep"):
        if any(one.seconds[kind] for one in found):
            figures[f"loudest, {kind}, dB"] = max(one.worst[kind] for one in found if one.seconds[kind])
    seconds = sum(sum(one.seconds.values()) for one in found)
    return Check(LEVEL, GROUP, "The level of every 50 ms in which nothing, only the room tone, or only a bleep may be heard: silence, a "
                 "tone that stays as it is, in four bands, and nothing else.", round(seconds), "seconds", tuple(findings), figures)


def in_time(found: Sequence[tuple[int, int, Lag]], o: AuditOptions) -> Check:
    """Spans (ms) of speech of a stream that is heard, and how late they are."""
    told = [(a, b, lag) for a, b, lag in found if lag.likeness >= o.in_time]
    findings = tuple(Finding(f"The sound is {abs(lag.late) * 1000:.0f} ms {'late' if lag.late > 0 else 'early'} here: its offset is not "
                             "the footage's.", ms=(a, b), score=abs(lag.late), limit=o.late)
                     for a, b, lag in told if abs(lag.late) > o.late)
    figures: dict[str, Figure] = {"most, ms": max((abs(lag.late) * 1000 for _, _, lag in told), default=0.0),
                                  "seconds that could not be told": sum(lag.seconds for _, _, lag in found)
                                  - sum(lag.seconds for _, _, lag in told)}
    return Check(TIME, GROUP, "Rise and fall of loudness where somebody is heard to speak, against the footage's, up to .4 s away.",
                 round(sum(lag.seconds for _, _, lag in told)), "seconds", findings, figures)


def voices(pieces: Sequence[Piece], o: AuditOptions) -> Check:
    """Pieces of speech in other voices."""
    mine, findings = own(pieces), []
    for piece in pieces:
        like = likeness(piece, mine)
        if like > o.voice or piece.undone > o.undone:
            back = like <= o.voice
            findings.append(Finding("The voice here is that of the person whose speech it was" + (", at another pitch." if back else "."),
                                    ms=(piece.start, piece.stop), score=piece.undone if back else like,
                                    limit=o.undone if back else o.voice, person=piece.person))
    figures: dict[str, Figure] = {"most alike": max((likeness(p, mine) for p in pieces), default=0.0),
                                  "most alike, pitch moved back": max((p.undone for p in pieces), default=0.0)}
    return Check(VOICES, GROUP, "A recogniser of speakers that took no part in the conversion (Resemblyzer) hears every 4 s of speech in "
                 "another voice, as it is and with its pitch moved back by 2 and 4 semitones either way, against the same moment of the "
                 "footage and against all that the person says.", len(pieces), "pieces", tuple(findings), figures)


def gallery(verdicts: Sequence[Verdict], o: AuditOptions) -> Check:
    """The attackers' figures. Past the limit is who is surely right more often than that."""
    figures: dict[str, Figure] = {}
    findings = []
    for v in verdicts:
        figures |= {f"{v.attacker}: first guess right": str(v.rank1), f"{v.attacker}: by guessing": v.chance,
                    f"{v.attacker}: equal error rate": str(v.eer), f"{v.attacker}: linkability": str(v.linkability)}
        if v.rank1.low > o.gallery_rank:
            findings.append(Finding(f"An attacker ({v.attacker}) among {v.gallery} voices names the right one in {v.rank1.value:.0%} of "
                                    "the pieces of speech.", score=v.rank1.value, limit=o.gallery_rank))
    return Check(GALLERY, GROUP, "Attackers with the voices of the gallery and of the film's people ask of each piece of speech whose it "
                 "is; intervals of 95 % over the people, so that with few people they say little.", sum(v.trials for v in verdicts),
                 "pieces", tuple(findings), figures, needed=False)


def names(name: str, tried: str, looked: int, unit: str, found: Sequence[tuple[int, int] | None]) -> Check:
    """Where words of the redaction list were found; never which: the report may be passed on."""
    where = "heard" if name == WORDS else "in the subtitles beside the film"
    return Check(name, GROUP, tried, looked, unit,
                 tuple(Finding(f"A word of the redaction list is {where}.", ms=span) for span in found), {"words": len(found)})

