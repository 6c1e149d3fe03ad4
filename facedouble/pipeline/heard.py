"""Who is heard in a clip, and with what voice: the turns on disk, the plan's decisions as a score, and the crew that plays it."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from facedouble import disk
from facedouble.consent import check_consent
from facedouble.errors import ConsentError, InputRefused, TakeRefused, UsageError
from facedouble.media.encode import Sound
from facedouble.media.recording import blocks, recording
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.auditions import overrides
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.hearing import clock
from facedouble.pipeline.score import Beep, Cue, Score
from facedouble.pipeline.sound import LONGEST_TAKE, Convert, Crew, Fit, Told, Tone, mono, refused, sounds
from facedouble.pipeline.speaking import open_content, open_trunk
from facedouble.plan.plan import Plan
from facedouble.plan.times import clock as timecode
from facedouble.plan.voices import Speech
from facedouble.publish import write_over
from facedouble.types import Floats, MediaInfo, Turn, Value
from facedouble.voice.ambience import clean, tone_of
from facedouble.voice.casting import Candidate
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.double import Content, Range, listen, range_of, speak
from facedouble.voice.file import read_voice
from facedouble.voice.revoice import check, fit
from facedouble.voice.trunk import Trunk
from facedouble.voice.volunteer import VoiceDouble

FORMAT: Final = "facedouble-heard-1"
SOUNDS: Final = (".wav", ".flac", ".mp3", ".m4a", ".ogg")  # of takes in a folder


def write_heard(path: Path, footage: str, turns: Sequence[Turn]) -> None:
    """Note who speaks when in footage of that SHA-256: times only, nothing of the sound."""
    rows = [[t.start, t.stop, t.voice, t.track, list(t.flags)] for t in turns]
    write_over(path, json.dumps({"format": FORMAT, "footage": footage, "turns": rows}).encode())


def read_heard(path: Path, footage: str) -> tuple[Turn, ...] | None:
    """What was noted; None if nobody has listened to that footage yet."""
    try:
        held = json.loads(disk.read(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputRefused(f"{path}: cannot be read; remove it and run `facedouble analyse` again") from error
    try:
        if held["format"] != FORMAT or held["footage"] != footage:
            return None
        return tuple(Turn(int(a), int(b), int(voice), None if track is None else int(track), tuple(map(str, flags)))
                     for a, b, voice, track, flags in held["turns"])
    except (KeyError, ValueError, TypeError) as error:
        raise InputRefused(f"{path}: not whole; remove it and run `facedouble analyse` again") from error


def span_of(turn: Turn, info: MediaInfo) -> tuple[int, int]:
    """A turn in ms from the first picture, rounded outwards; what comes before that is cut off."""
    a, b = ((turn_at + (clock(info) - info.start) * SPEECH_RATE) * 1000 / SPEECH_RATE for turn_at in (turn.start, turn.stop))
    return max(math.floor(a), 0), max(math.ceil(b), 1)


def speech_of(plan: Plan, clip: str, info: MediaInfo, turns: Sequence[Turn]) -> tuple[Speech, ...]:
    """What was heard, as turns of the plan: each is the person's whose face speaks in all of it.

    Of whom the voice is kept, nothing is added to: that stays nobody's until somebody says so.
    """
    entry, found = plan.clip(clip), []
    for turn in turns:
        start, stop = span_of(turn, info)
        if start >= entry.frames / entry.rate * 1000:
            continue  # after the last picture nobody can look who speaks; it is not heard
        frames = range(int(start * entry.rate / 1000), max(math.ceil(stop * entry.rate / 1000), 1))
        owners = {p.id for p in plan.people for f in p.faces if (f.clip, f.track) == (clip, turn.track)
                  and f.start < frames.stop and frames.start < f.end}
        whole = {p.id for p in plan.people for f in p.faces if (f.clip, f.track) == (clip, turn.track)
                 and f.start <= frames.start and min(frames.stop, entry.frames) <= f.end}
        who = next((p for p in plan.people if owners == whole == {p.id}), None)
        person = who.id if who is not None and "voice" not in who.open else ""
        found.append(Speech(clip, start, stop, person, None, max(turn.voice, -1), turn.flags))
    return tuple(found)


def score_of(plan: Plan, clip: str, info: MediaInfo, turns: Sequence[Turn] | None, folder: Path) -> Score:
    """What the plan says of a clip's sound. turns: as they were heard, None if nobody listened; folder: where the plan lies."""
    entry, behind = plan.clip(clip), plan.behind(clip)
    if behind is not None and behind.kind != "new" and turns is None and info.audio:
        raise UsageError(f'clip {clip}: ambience = "{behind.kind}" needs to know where nobody speaks; run `facedouble analyse` '
                         'on it again, or take "new"')
    cues = []
    for number, turn in plan.turns(clip):
        said = plan.voicing(turn)
        of = said.of or ""
        if said.voice == "revoice":
            if turn.stop - turn.start >= 1000 * LONGEST_TAKE:
                raise UsageError(f"turn {number} of clip {clip} lasts {(turn.stop - turn.start) // 1000} s, and one take speaks "
                                 f"{LONGEST_TAKE} s at most: split the turn in the plan")
            of = str(take_of(folder / of, clip, number, len(plan.clips) == 1))
        cues.append(Cue(number, turn.start, turn.stop, said.voice, of, turn.person, turn.flags))
    files = Counter(cue.of for cue in cues if cue.voice == "revoice")
    if files and max(files.values()) > 1:
        (file, count), = files.most_common(1)
        raise UsageError(f"{file}: one take cannot speak {count} turns of clip {clip}; name a folder with a take for each, "
                         f"called {clip}-1.wav and so on by the turns' numbers")
    beeps = tuple(Beep(b.start, b.stop, b.sound == "tone") for b in plan.bleeps if b.clip == clip)
    spans = None if turns is None else tuple(span_of(t, info) for t in turns)
    length = math.floor(entry.frames / entry.rate * 1000)
    return Score(length, tuple(cues), beeps, spans, "" if behind is None else behind.kind)


def take_of(path: Path, clip: str, number: int, alone: bool = False) -> Path:
    """The file of a take. In a folder that of turn 3 of clip A is "A-3" or "A/turn-003", and ends as sounds do.

    alone: there is no other clip, so that "turn-003" is that as well.
    """
    if not disk.is_folder(path):
        return path
    called = [f"{clip}-{number}", f"{clip}/turn-{number:03d}", *[f"turn-{number:03d}"] * alone]
    found = sorted(p for name in called for p in disk.found(path, f"{name}.*") if p.suffix.lower() in SOUNDS)
    if len(found) > 1:
        raise UsageError(f"{path}: has {len(found)} takes of turn {number} of clip {clip}; keep one")
    return found[0] if found else path / f"{clip}-{number}.wav"


@dataclass(frozen=True)
class Makers(Value):
    """What a crew is made of: a voice by its file, purpose and day; a take by its file; and what needs no file."""

    voice: Callable[[Path, str, dt.date, Path | None], Convert]
    take: Callable[[Path], Callable[[], tuple[Floats, int]]]
    fit: Fit
    tone: Callable[[Iterable[Floats], int, Sequence[tuple[int, int]]], Tone]
    clean: Callable[[Iterable[Floats], int, np.random.Generator], Iterator[Floats]]


def open_take(path: Path) -> Callable[[], tuple[Floats, int]]:
    """What reads a take when it is its turn; InputRefused now if there is none, or no timing can mend it."""
    if not disk.is_file(path):
        raise InputRefused(f"{path}: there is no such take; bring one in with `facedouble voice take`, or decide something else "
                           "for that turn")
    try:
        check(*_read_take(path))
    except TakeRefused as error:
        raise InputRefused(f"{path}: {error}") from error
    return partial(_read_take, path)


def _read_take(path: Path) -> tuple[Floats, int]:
    source = recording(path)
    return np.concatenate([mono(block) for block in blocks(source)]), source.rate


@dataclass(frozen=True)
class Spoken(Value):
    """Another voice for the same words: what passes is read by `content`, and said by a volunteer's voice."""

    voice: VoiceDouble
    content: Content
    trunk: Trunk
    sample: Candidate | None = None
    known: Range | None = None

    @property
    def rate(self) -> int:
        """Samples/s of what comes out."""
        return self.voice.rate

    def __call__(self, sound: Floats, /) -> Floats:
        """(N,) at 16 kHz -> as long, at `rate`."""
        return speak(listen(sound, self.content, self.trunk, self.known), self.voice, self.trunk)

    def tuned(self, sound: Floats, /) -> Spoken:
        """For one person, of whose speech (N,) at 16 kHz is cut together; N > 0."""
        return replace(self, known=range_of(sound, self.content, self.trunk))


def open_voice(path: Path, purpose: str, today: dt.date, models: Path | None = None) -> Convert:
    """A volunteer's voice, ready to speak; its consent has to cover the purpose today."""
    voice = read_voice(path)
    check_consent(voice.consent, today, "voice double")
    if purpose not in voice.consent.scope:
        raise ConsentError(f"{path}: the volunteer consented to {', '.join(voice.consent.scope)}, not to {purpose}; ask them, or "
                           "say what this is for with --for")
    sample = Candidate(voice.id, voice.arrays["prints"], tuple(overrides(path)))
    spoken = Spoken(voice, open_content(models), open_trunk(), sample)
    try:
        spoken(np.zeros(SPEECH_RATE // 10, np.float32))
    except (ValueError, KeyError) as error:  # whole, and yet nothing that this network can speak with
        raise InputRefused(f"{path}: made for another version of facedouble; make the voice again from its recordings") from error
    return spoken


def fitted(take: Floats, guide: Floats, rate: int) -> tuple[Floats, tuple[str, ...]]:
    """A take on the guide's timing, and where it does not fit."""
    made = fit(take, guide, rate)
    return made.sound, tuple(f"{m.start:.1f} to {m.stop:.1f} s of the turn: {m.why}" for m in made.misfits)


MAKERS: Final = Makers(open_voice, open_take, fitted, tone_of, clean)


def open_crew(scores: Iterable[Score], voices: Mapping[str, Path], purpose: str, today: dt.date, models: Path | None = None,
              makers: Makers = MAKERS) -> Crew:
    """All that the scores ask for, before anything is drawn. voices: the `.fvoice` of each name."""
    cues = [cue for score in scores for cue in score.cues]
    names = sorted({cue.of for cue in cues if cue.voice == "double"})
    files = sorted({cue.of for cue in cues if cue.voice == "revoice"})
    opened = {name: makers.voice(voices[name], purpose, today, models) for name in names}
    samples = {name: sample for name, voice in opened.items() if (sample := getattr(voice, "sample", None)) is not None}
    return Crew(opened, {file: makers.take(Path(file)) for file in files}, makers.fit, makers.tone, makers.clean, samples)


def check_takes(clips: Mapping[str, tuple[MediaInfo, Score]], crew: Crew) -> None:
    """InputRefused with every turn whose take cannot be heard there: too long, too short, other words, the footage's own."""
    wrong = [f"turn {number} of clip {clip}: {why}" for clip, (info, score) in clips.items()
             for number, why in sorted(refused(info, score, crew).items())]
    if wrong:
        raise InputRefused("\n".join([*wrong, "record these again, or mute these turns: `facedouble plan turn film.plan.toml A 3 "
                                      "--voice mute --by NAME`"]))


def shared(cues: Iterable[Cue]) -> dict[str, set[str]]:
    """The doubles' voices that speak for more than one person, by name, and for whom: one who is known tells of the others."""
    speaks: dict[str, set[str]] = {}
    for cue in cues:
        if cue.voice == "double" and cue.person:
            speaks.setdefault(cue.of, set()).add(cue.person)
    return {name: who for name, who in speaks.items() if len(who) > 1}


def seed_of(info: MediaInfo, score: Score, seed: int) -> int:
    """What chance begins with in the sound of a clip: a number that only who has the footage can tell, of the seed as well.

    Who knew it could read the sound of the place at its true times again, and take the noise away that drowns its hum.
    """
    return seed if score.silent or not info.audio else int(of_file(Path(info.path), f"facedouble sound {seed} ".encode()), 16)


class Heard:
    """What is heard of a clip, for `pipeline.render`: its score, played by a crew. seed: of `seed_of`."""

    def __init__(self, score: Score, crew: Crew, seed: int, why: str = "", progress: Progress = quiet,
                 likenesses: Sequence[Mapping[str, Any]] = ()) -> None:
        self.score, self.crew, self.seed, self.why, self.progress, self.likenesses = score, crew, seed, why, progress, likenesses
        self.told = Told()

    def sounds(self, info: MediaInfo) -> list[Sound]:
        """The streams, anew."""
        self.told = Told()
        return sounds(info, self.score, self.crew, self.seed, self.told, self.progress)

    def over(self, score: Score) -> Heard:
        """The same, of another score."""
        return Heard(score, self.crew, self.seed, self.why, self.progress, self.likenesses)

    @property
    def errors(self) -> list[str]:
        """One sentence for each turn that is muted because something went wrong."""
        return [f"turn {number} is muted: {why}" for number, why in sorted(self.told.failed.items())]

    def facts(self) -> dict[str, Any]:
        """For the report: of each turn when, whose, what became of it, and what to listen to. No file's name."""
        kinds = {cue.voice for cue in self.score.cues if cue.voice != "mute"}
        turns = [{"turn": c.number, "from": timecode(c.start), "to": timecode(c.stop), "person": c.person or None,
                  "voice": f"double {c.of}" if c.voice == "double" else c.voice,
                  "flags": [*c.flags, *self.told.remarks.get(c.number, ())],
                  "failed": self.told.failed.get(c.number)} for c in self.score.cues]
        said = {"ambience": self.score.ambience or ("none" if self.score.silent else "new"), "turns": turns,
                "bleeps": [[timecode(b.start), timecode(b.stop)] for b in self.score.beeps],
                "listened": self.score.speech is not None,
                "undecided": [[timecode(a), timecode(b)] for a, b in self.score.undecided],
                "guarded": [[timecode(a), timecode(b)] for a, b in self.score.guards],
                "shared": {name: sorted(who) for name, who in shared(self.score.cues).items()},
                "likenesses": list(self.likenesses),
                "seconds": {kind: round(s, 3) for kind, s in sorted(self.told.seconds.items())}}
        return {"voice": kinds.pop() if len(kinds) == 1 else "by turns" if kinds else "mute", "voice_reason": self.why or None,
                "sound": said}


def heard_of(plan: Plan, clip: str, score: Score, crew: Crew, seed: int, progress: Progress = quiet,
             likenesses: Sequence[Mapping[str, Any]] = ()) -> Heard:
    """The clip's sound under a plan, with the reasons for what is kept."""
    kept = {f"{said.by}: {said.reason}" for _, turn in plan.turns(clip) if (said := plan.voicing(turn)).voice == "keep"}
    return Heard(score, crew, seed, "; ".join(sorted(kept)), progress, likenesses)
