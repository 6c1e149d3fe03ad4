"""Before a film is drawn: whether a volunteer's voice sounds like whom it speaks for, in the footage itself.

Voice prints are made anew each time and kept nowhere; what is reported is how like two voices are, and who decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from facedouble import disk
from facedouble.errors import AuditFailed, InputRefused
from facedouble.pipeline.hearing import clock, mono
from facedouble.pipeline.score import Score
from facedouble.pipeline.sound import Crew, resampled
from facedouble.publish import write_over
from facedouble.types import Floats, MediaInfo
from facedouble.voice.casting import Candidate, Finding, Verdict, judge
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import LOOK, STRIDE, Voiceprint

LOOKS: Final = 60  # of a person in a clip, spread over all that they say: more would tell no more
AT_ONCE: Final = 16  # looks; and as many of a take
LOUD: Final = 0.03  # power re the loudest look of a take, from which somebody speaks in one

Spans = Mapping[str, Sequence[tuple[int, int]]]
"""Ms of the clip in which somebody speaks, by who it is."""


def overrides(path: Path) -> list[dict[str, Any]]:
    """What was decided about a `.fvoice` that is too like somebody, from the file beside it; InputRefused if it is none."""
    try:
        held = json.loads(disk.read(path.with_suffix(".override.json")))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise InputRefused(f"{path.with_suffix('.override.json')}: cannot be read; remove it, and decide again") from error
    found = [held] if isinstance(held, dict) else held
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise InputRefused(f"{path.with_suffix('.override.json')}: holds no decisions; remove it, and decide again")
    return found


def put_override(path: Path, record: Mapping[str, Any]) -> Path:
    """Add a decision to those about a `.fvoice`; where they are."""
    target = path.with_suffix(".override.json")
    write_over(target, (json.dumps([*overrides(path), dict(record)], indent=1, sort_keys=True) + "\n").encode())
    return target


def looked_at(info: MediaInfo, spans: Spans, voiceprint: Voiceprint) -> dict[str, Floats]:
    """Voice prints (n, D) of everybody, where they speak alone; none of who never does for as long as a look."""
    shift = (info.start - clock(info)) * SPEECH_RATE
    wanted = sorted((at, who) for who in spans for at in _starts(spans, who, float(shift)))
    cuts: dict[str, list[Floats]] = {who: [] for who in spans}
    prints: dict[str, list[Floats]] = {who: [] for who in spans}
    if wanted:
        with closing(mono(info)) as blocks:
            for who, cut in _cut(blocks, wanted):
                cuts[who].append(cut)
                if len(cuts[who]) == AT_ONCE:
                    prints[who].append(voiceprint(np.stack(cuts[who])))
                    cuts[who].clear()
    for who, rest in cuts.items():
        if rest:
            prints[who].append(voiceprint(np.stack(rest)))
    return {who: np.concatenate(found) if found else np.zeros((0, 1), np.float32) for who, found in prints.items()}


def _starts(spans: Spans, who: str, shift: float) -> list[int]:
    """First samples of looks at somebody, `LOOKS` at most."""
    others = [span for name, theirs in spans.items() if name != who for span in theirs]
    found: list[int] = []
    for a, b in spans[who]:
        alone = [a, b, *(x for span in others for x in span if a < x < b)]
        for start, stop in zip(sorted(alone), sorted(alone)[1:], strict=False):
            if not any(x < stop and start < y for x, y in others):
                first, last = (round(ms * SPEECH_RATE / 1000 + shift) for ms in (start, stop))
                found += range(max(first, 0), last - LOOK + 1, STRIDE)
    return found if len(found) <= LOOKS else [found[k] for k in np.linspace(0, len(found) - 1, LOOKS).round().astype(int)]


def _cut(blocks: Iterable[Floats], wanted: Sequence[tuple[int, str]]) -> Iterator[tuple[str, Floats]]:
    """The looks, in order, out of a sound that comes block by block; those after its end are left out."""
    held, start, k = np.zeros(0, np.float32), 0, 0
    for block in blocks:
        held = np.concatenate([held, block])
        while k < len(wanted) and wanted[k][0] + LOOK <= start + len(held):
            yield wanted[k][1], held[wanted[k][0] - start :][:LOOK]
            k += 1
        if k == len(wanted):
            return
        drop = min(max(wanted[k][0] - start, 0), len(held))
        held, start = held[drop:], start + drop


def spans_of(score: Score) -> dict[str, list[tuple[int, int]]]:
    """Who speaks when, of those whom the score knows."""
    found: dict[str, list[tuple[int, int]]] = {}
    for cue in score.cues:
        found.setdefault(cue.person, []).append((cue.start, cue.stop))
    return found


def audition(clips: Sequence[tuple[MediaInfo, Score, str]], crew: Crew, voiceprint: Voiceprint,
             also: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """How like each volunteer's voice is to everybody it speaks for, for the report; AuditFailed if it is too like one of them.

    clips: each with its score and its SHA-256. also: another name by which somebody may be called where it was decided that a
    voice is taken all the same. Who says too little to be compared is let pass, and the report says so. So are takes: of them
    nobody can decide that they are taken all the same, and strangers are alike, too, at times.
    """
    cues = [cue for _, score, _ in clips for cue in score.cues if cue.person]
    parts = sorted({(cue.of, cue.person) for cue in cues if cue.voice == "double" and cue.of in crew.samples})
    anew = {who: sorted({cue.of for cue in cues if cue.voice == "revoice" and cue.person == who}) for who in
            sorted({cue.person for cue in cues if cue.voice == "revoice"})}
    mine, prints = {*anew, *(who for _, who in parts)}, dict[str, list[Floats]]()
    for info, score, _ in clips:
        if info.audio and mine & {cue.person for cue in score.cues}:
            for who, looks in looked_at(info, spans_of(score), voiceprint).items():
                prints.setdefault(who, []).extend([looks] if who in mine and len(looks) else [])
    told = []
    for name, who in parts:
        sample = crew.samples[name]
        found = judge(sample.id, sample.prints, who, _all(prints.get(who, [])))
        footage = {sha for _, score, sha in clips if any((c.of, c.person) == (name, who) for c in score.cues)}
        said = next((r for r in sample.overrides if _settles(r, sample, {who, (also or {}).get(who, who)}, footage)), None)
        if found.verdict is Verdict.REFUSED and np.isfinite(found.likeness) and said is None:
            raise AuditFailed(f"voice {name} sounds too like {who} (likeness {found.likeness:.2f}), whom it speaks for: take "
                              "another volunteer's voice; or, if it has to be this one, decide so with `facedouble voice check "
                              "--override`")
        told.append({**_plain(f"double {name}", found), "override": said and {key: said.get(key) for key in ("by", "reason")}})
    for who, files in anew.items():
        takes = _all([looks for file in files if len(looks := _of_take(*crew.takes[file](), voiceprint))])
        told.append({**_plain("revoice", judge("takes", takes, who, _all(prints.get(who, [])))), "override": None})
    return told


def _all(prints: Sequence[Floats]) -> Floats:
    return np.concatenate(prints) if prints else np.zeros((0, 1), np.float32)


def _plain(voice: str, found: Finding) -> dict[str, Any]:
    """A finding for the report."""
    known = bool(np.isfinite(found.likeness))
    return {"voice": voice, "whom": found.whom, "likeness": round(found.likeness, 3) if known else None,
            "verdict": found.verdict.value if known else "too little speech to tell"}


def _of_take(take: Floats, rate: int, voiceprint: Voiceprint) -> Floats:
    """Voice prints (n, D) of a take (N,) where it is loud."""
    sound = resampled(take, rate, SPEECH_RATE)
    cuts = [sound[a : a + LOOK] for a in range(0, len(sound) - LOOK + 1, STRIDE)]
    loud = max((float(np.square(cut).mean()) for cut in cuts), default=0.0)
    looks = [cut for cut in cuts if float(np.square(cut).mean()) > LOUD * loud][:AT_ONCE]
    return voiceprint(np.stack(looks)) if looks else np.zeros((0, 1), np.float32)


def _settles(record: Mapping[str, Any], sample: Candidate, names: set[str], footage: set[str]) -> bool:
    """Whether a decision is about that voice, that person, and this footage."""
    about = record.get("footage")
    return record.get("voice") == sample.id and record.get("whom") in names and isinstance(about, list) and footage <= set(about)
