"""The informed attackers of voices: whose speech is given the film's voice, of whom is asked, and what comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from facedouble.audit import heard as checks
from facedouble.audit import voices
from facedouble.audit.heard import untried
from facedouble.audit.said import Said, joined
from facedouble.audit.verdict import Check
from facedouble.audit.voices import Piece
from facedouble.errors import FacedoubleError
from facedouble.media.recording import recording
from facedouble.pipeline.audit.mimic import Errand, Mimicked, Speech, mimic
from facedouble.types import Floats, Value

PEOPLE: Final = 12  # of the gallery that are sampled, spread over it: it takes half as long as what is said
SECONDS: Final = 8.0  # of speech of each


@dataclass(frozen=True)
class Others(Value):
    """What attackers have.

    gallery: recordings and clips by whose they are: somebody in the film if the name is the person's id, or begins with it
    and "_", else another person. prints: voices (m, 256) of other people of the same project; without a gallery they count if
    there are enough of them. voices: the `.fvoice` that each person speaks with; spare: others that the plan has; run: gives
    speech those voices; models: their folder.
    """

    gallery: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    prints: Mapping[str, Floats] = field(default_factory=dict)
    voices: Mapping[str, Path] = field(default_factory=dict)
    spare: Sequence[Path] = ()
    run: Callable[[Errand], Sequence[Mimicked]] = mimic
    models: Path | None = None

    def of(self, people: set[str]) -> dict[str, list[Path]]:
        """The gallery's files by whose they are: an id of the film's people, or "gallery NAME"."""
        found: dict[str, list[Path]] = {}
        for name, files in self.gallery.items():
            owner = next((n for n in (name, name.split("_")[0]) if n in people), f"gallery {name}")
            found.setdefault(owner, []).extend(files)
        return found


def informed(pieces: Sequence[Piece], said: Said, footage: Path | None, others: Others) -> Check:
    """What somebody can tell who has this program and the voice; footage: None if it was not given."""
    people = {p.person for p in pieces if p.person}
    asked = people & set(others.voices)
    rest = {who: files for who, files in others.of(people).items() if who not in people}
    if not asked:
        return untried(checks.INFORMED, "nobody speaks in a voice whose file (.fvoice) is known: that takes a plan with a voice "
                                        "double" if people or not pieces else "it is not known whose turns they are")
    if not rest:
        return untried(checks.INFORMED, "there are no voices of other people; give recordings of some with --gallery")
    voice = Counter(others.voices[p.person] for p in pieces if p.person in asked).most_common(1)[0][0]
    spare = next((v for v in (*others.spare, *others.voices.values()) if v != voice), None)
    known, kept, lost, own = _known(pieces, said, footage, others.of(people), {w for w in asked if others.voices[w] == voice})
    lost += [] if spare is not None else ["lazy: the plan has no second voice"]
    lost += [f"{who}: speaks in another voice than most" for who in sorted(asked) if others.voices[who] != voice]
    names = sorted(rest)
    if len(names) > PEOPLE:
        names = [names[i] for i in np.linspace(0, len(names) - 1, PEOPLE).round().astype(int)]
    if not known:
        return untried(checks.INFORMED, "; ".join(lost))
    speech = {**known, **{who: tuple(map(Speech, rest[who])) for who in names}}
    try:
        made = others.run(Errand(tuple(speech.items()), (voice, *([spare] if spare else [])), SECONDS, others.models))
    except FacedoubleError as error:
        return untried(checks.INFORMED, str(error))
    lost += [m.why for m in made if m.why]
    alike, elsewhere = ({m.person: [m.vector] for m in made if m.voice == file and m.vector is not None}
                        for file in (voice, spare))
    verdicts = voices.informed(kept, alike, elsewhere)
    return checks.informed(verdicts, own, lost) if verdicts else untried(checks.INFORMED, "; ".join(dict.fromkeys(lost)))


def _known(pieces: Sequence[Piece], said: Said, footage: Path | None, files: Mapping[str, Sequence[Path]],
           asked: set[str]) -> tuple[dict[str, tuple[Speech, ...]], list[Piece], list[str], bool]:
    """Other speech of those asked about, or what they say in the later half of the footage; the pieces that are asked about; who
    says too little; whether anybody is known by the footage."""
    known: dict[str, tuple[Speech, ...]] = {}
    kept: list[Piece] = []
    lost, own = list[str](), False
    late = 0 if footage is None else round(recording(footage).late * 1000)
    for who in sorted(asked):
        mine = sorted((p for p in pieces if p.person == who), key=lambda p: p.start)
        if who in files:
            known[who] = tuple(map(Speech, files[who]))
            kept += mine
            continue
        middle = mine[len(mine) // 2].start
        spans = joined((max(t.start, middle) - late, t.stop - late) for t in said.turns if t.person == who and t.stop > middle
                       and t.voice in ("double", "revoice"))
        early = [p for p in mine if p.stop <= middle]
        if footage is None or not spans or not early:
            lost.append(f"{who}: too little is said in the film to know them by, and no other speech of theirs was given")
            continue
        known[who], own = (Speech(footage, spans),), True
        kept += early
    return known, kept, lost, own
