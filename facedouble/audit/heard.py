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
INFORMED: Final = "somebody who has this program and the voice"
WORDS: Final = "names in the sound"
SUBTITLES: Final = "names in the subtitles"
INSTALL: Final = "run `facedouble models install`"
TRIED: Final = {
    STREAMS: "Number, order, channels, rates and samples of the sound streams, against the footage's.",
    TRACES: "Each second of the footage's sound, where the plan does not let it through, sought in every channel of each stream, "
            "up to .25 s away, upright and inverted: windows of .2 s, and 4 s at one lag (whitened correlation, up to 8 kHz; "
            "sounds that share nothing reach about 6 of its units).",
    LEVEL: "Each 50 ms in which nothing, or only the room tone, or only a bleep may be heard: digital silence; in four bands a "
           "tone that stays as it is; and nothing else.",
    TIME: "Rise and fall of loudness where somebody is heard to speak, against the footage's, up to .4 s away.",
    VOICES: "A recogniser of speakers that took no part in the conversion (Resemblyzer) compares each 4 s of speech in another "
            "voice, short turns of one person together, as it is and with its pitch moved back by 2 and 4 semitones either way, "
            "with the same moment of the footage, and with all that this person says there.",
    GALLERY: "Attackers who have voices of other people and of the film's ask of each piece of speech whose it is. Intervals of "
             "95 %, over the people: of few people they say little.",
    INFORMED: "Speech of people of the gallery, and other speech of the film's, was given the film's own voice double "
              "(semi-informed), and another of the plan (lazy); like was then matched with like.",
    WORDS: "Whisper tiny.en writes down what is heard, 6 s at a time, and the redaction list is sought in it, inflected and in "
           "other letters. It knows English only, and mishears.",
    SUBTITLES: "The redaction list, sought in the subtitles beside the film and in their names.",
}
NEEDED: Final = {GALLERY: False, INFORMED: False}  # a file may pass while these could not be tried
KINDS: Final = {
    "silence": "Sound is heard where the plan says that nothing is heard",
    "tone": "Something else than the room tone is heard where only that may be heard",
    "below a bleep": "Something else than the bleep is heard where a word is bleeped",
    "no bleep": "There is no bleep where the plan has one",
}


@dataclass(frozen=True)
class Stream(Value):
    """One sound stream: samples/s, channels, samples of each."""

    rate: int
    channels: int
    samples: int


def untried(name: str, why: str, needed: bool | None = None) -> Check:
    """A check that could not be made."""
    return Check(name, GROUP, TRIED[name], missing=why, needed=NEEDED.get(name, True) if needed is None else needed)


def _check(name: str, looked: float, unit: str, findings: Sequence[Finding], figures: dict[str, Figure]) -> Check:
    return Check(name, GROUP, TRIED[name], round(looked), unit, tuple(findings), figures, needed=NEEDED.get(name, True))


def streams(output: Sequence[Stream], wanted: Sequence[Stream]) -> Check:
    """Whether the output has the footage's streams, in their order and as long."""
    found = []
    if len(output) != len(wanted):
        found.append(Finding(f"The film has {len(output)} sound streams, and the footage {len(wanted)}."))
    for k, (is_, was) in enumerate(zip(output, wanted, strict=False), 1):
        if (is_.rate, is_.channels) != (was.rate, was.channels):
            found.append(Finding(f"Sound stream {k} has {is_.channels} channels of {is_.rate} samples/s instead of "
                                 f"{was.channels} of {was.rate}: it is not the one that belongs there."))
        elif is_.samples != was.samples:
            found.append(Finding(f"Sound stream {k} has {is_.samples} samples instead of {was.samples}: something was put in or "
                                 "left out.", score=float(is_.samples), limit=float(was.samples)))
    return _check(STREAMS, len(output), "streams", found, {f"samples {k}": s.samples for k, s in enumerate(output, 1)})


def traces(at: Sequence[float], found: Sequence[Trace], o: AuditOptions) -> Check:
    """Seconds `at` of the clip, and what of the original was found in each."""
    bad = [(round(max(t, 0) * 1000), f) for t, f in zip(at, found, strict=True) if f.single > o.trace or f.lasting > o.lasting]
    findings = []
    for start, stop in runs([ms for ms, _ in bad], 1000):
        worst = max((f for ms, f in bad if start <= ms < stop), key=lambda f: f.score)
        findings.append(Finding("The original sound, or a trace of it, is heard here.", ms=(start, stop), score=worst.score,
                                limit=o.trace if worst.single > o.trace else o.lasting))
    return _check(TRACES, len(found), "seconds", findings, {"most, .2 s": max((f.single for f in found), default=0.0),
                                                            "most, lasting": max((f.lasting for f in found), default=0.0)})


def runs(starts: Sequence[int], long: int) -> list[tuple[int, int]]:
    """Spans of `long` that begin there, in order; those that touch are one."""
    made: list[tuple[int, int]] = []
    for start in sorted(starts):
        if made and start <= made[-1][1] + 1:
            made[-1] = made[-1][0], max(made[-1][1], start + long)
        else:
            made.append((start, start + long))
    return made


def level(found: Sequence[Stillness]) -> Check:
    """Each stream's stillness."""
    findings = []
    for k, one in enumerate(found, 1):
        for kind, words in KINDS.items():
            mine = [f for f in one.found if f.kind == kind]
            for start, stop in runs([f.start for f in mine], 50):
                over = max(f.over for f in mine if start <= f.start < stop)
                where = f", in sound stream {k}." if len(found) > 1 else "."
                findings.append(Finding(words + where, ms=(start, stop), score=over, limit=0.0))
    figures: dict[str, Figure] = {}
    for kind in ("silence", "tone", "bleep"):
        if any(one.seconds[kind] for one in found):
            figures[f"loudest, {kind}, dB"] = max(one.worst[kind] for one in found if one.seconds[kind])
    return _check(LEVEL, sum(sum(one.seconds.values()) for one in found), "seconds", findings, figures)


def in_time(found: Sequence[tuple[int, int, Lag]], o: AuditOptions) -> Check:
    """Spans (ms) of speech of a stream that is heard, and how late they are."""
    told = [(a, b, lag) for a, b, lag in found if lag.likeness >= o.in_time]
    findings = [Finding(f"The sound is {abs(lag.late) * 1000:.0f} ms too {'late' if lag.late > 0 else 'early'} here.", ms=(a, b),
                        score=abs(lag.late), limit=o.late) for a, b, lag in told if abs(lag.late) > o.late]
    seconds = sum(lag.seconds for _, _, lag in told)
    return _check(TIME, seconds, "seconds", findings, {
        "most, ms": max((abs(lag.late) * 1000 for _, _, lag in told), default=0.0),
        "seconds that could not be told": sum(lag.seconds for _, _, lag in found) - seconds})


def voices(pieces: Sequence[Piece], o: AuditOptions, lost: float = 0.0) -> Check:
    """Pieces of speech in other voices. lost: s that could not be judged."""
    if lost and not pieces:
        return untried(VOICES, f"the {lost:.1f} s of speech in another voice are too short, or too soft in the footage, to know "
                               "a voice by", needed=False)
    mine, findings = own(pieces), []
    for piece in pieces:
        like = likeness(piece, mine)
        for span in piece.spans or ((piece.start, piece.stop),):
            if like > o.voice:
                findings.append(Finding("The voice here is like that of the person whose speech it was.", ms=span, score=like,
                                        limit=o.voice, person=piece.person))
            elif piece.undone > o.undone:
                findings.append(Finding("The voice here is that of the person whose speech it was, at another pitch.", ms=span,
                                        score=piece.undone, limit=o.undone, person=piece.person))
    return _check(VOICES, len(pieces), "pieces", findings, {
        "most alike": max((likeness(p, mine) for p in pieces), default=0.0),
        "most alike, pitch moved back": max((p.undone for p in pieces), default=0.0),
        "seconds that could not be judged": lost})


def gallery(verdicts: Sequence[Verdict], o: AuditOptions) -> Check:
    """The attackers' figures. A finding is who is, also at the low end of his interval, right more often than the limit."""
    figures: dict[str, Figure] = {}
    findings = []
    for v in verdicts:
        figures |= _figures(v)
        if v.rank1.low > o.gallery_rank:
            findings.append(Finding(f"An attacker ({v.attacker}) names the right one of {v.gallery} voices first for "
                                    f"{v.rank1.value:.0%} of the pieces of speech.", score=v.rank1.value, limit=o.gallery_rank))
    return _check(GALLERY, sum(v.trials for v in verdicts), "pieces", findings, figures)


def _figures(v: Verdict) -> dict[str, Figure]:
    return {f"{v.attacker}: first guess right": str(v.rank1), f"{v.attacker}: by guessing": v.chance,
            f"{v.attacker}: equal error rate": str(v.eer), f"{v.attacker}: linkability": str(v.linkability)}


def informed(verdicts: Sequence[Verdict], own: bool, lost: Sequence[str]) -> Check:
    """Attackers who have the double; there is no limit. own: they know somebody by the rest of the footage; lost: who or what is
    left out, and why."""
    figures: dict[str, Figure] = {}
    for v in verdicts:
        figures |= _figures(v)
    told = "; ".join(f"{v.attacker}, first guess right for {v.rank1.value:.0%} of the pieces, {v.chance:.0%} by guessing"
                     for v in verdicts)
    figures["verdict"] = told + (" (known by the rest of this footage, which makes it easier)" if own else "")
    if lost:
        figures["not tried"] = "; ".join(dict.fromkeys(lost))
    return _check(INFORMED, sum(v.trials for v in verdicts), "pieces", (), figures)


def names(name: str, looked: int, unit: str, found: Sequence[tuple[int, int] | None]) -> Check:
    """Where words of the redaction list were found; never which: the report may be passed on."""
    where = "heard" if name == WORDS else "in the subtitles beside the film"
    return _check(name, looked, unit, [Finding(f"A word of the redaction list is {where}.", ms=span) for span in found],
                  {"words": len(found)})
