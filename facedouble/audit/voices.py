"""Whose voice the output's speech is like: pieces of it against the same moments of the original, as they are and pitched back.

The judge took no part in the conversion. Pitching back undoes what is no protection: a voice raised or lowered by some semitones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from facedouble.audit import attack
from facedouble.audit.said import Said, Spans, Voiced
from facedouble.types import Floats, Value

RATE: Final = 16_000  # samples/s
PIECE: Final = 4.0  # s that are judged at once
HOP: Final = 2.0  # s from piece to piece
LEAST: Final = 1.5  # s: of less the judge knows next to nothing
SOFT: Final = 1e-3  # rms: what is quieter is no speech
SEMITONES: Final = (-4.0, -2.0, 2.0, 4.0)  # that are undone; one beside them the judge still knows a voice (.93 and more)

Speaker = Callable[[Floats], Floats]
"""(N,) at RATE -> embedding of length 1."""
Pitched = Callable[[Floats, float], Floats]
"""(N,) at RATE -> played quicker by so many semitones."""


@dataclass(frozen=True)
class Piece(Value):
    """A piece of somebody's speech, ms of the clip. was, now: embeddings of the original and of the output; undone: the greatest
    likeness of the two when the output's pitch is moved back; spans: the turns it is of, if it is of several."""

    start: int
    stop: int
    person: str
    was: Floats
    now: Floats
    undone: float
    spans: Spans = ()

    @property
    def same(self) -> float:
        """Likeness of the two, 1 = the same voice and words."""
        return float(self.was @ self.now)


@dataclass
class _Open:
    """A turn that is being heard: sounds of the original and the output, (N,) both, from `begin` ms on."""

    begin: int
    was: Floats
    now: Floats

    @property
    def span(self) -> tuple[int, int]:
        """In ms."""
        return self.begin, self.begin + len(self.was) * 1000 // RATE


@dataclass
class Listener:
    """Seconds in order; a piece is embedded when it is whole, and of sound no more is held than a piece of each turn.

    Short turns of one person make a piece together. lost: s of speech that were too little, or too soft, to be judged.
    """

    said: Said
    judge: Speaker
    pitched: Pitched
    pieces: list[Piece] = field(default_factory=list)
    lost: float = 0.0
    _open: dict[Voiced, _Open] = field(default_factory=dict)
    _short: dict[str, list[_Open]] = field(default_factory=dict)

    def add(self, at: float, original: Floats, output: Floats) -> None:
        """(N,) each, one channel, from `at` s of the clip on."""
        first = round(at * 1000)
        last = first + len(original) * 1000 // RATE
        for turn in self.said.turns:
            if turn.voice not in ("double", "revoice") or turn.start >= last or first >= turn.stop:
                continue
            a, b = ((min(max(ms, first), last) - first) * RATE // 1000 for ms in (turn.start, turn.stop))
            held = self._open.get(turn) or _Open(max(turn.start, first), original[:0], output[:0])
            was, now = np.concatenate([held.was, original[a:b]]), np.concatenate([held.now, output[a:b]])
            self._open[turn] = _Open(held.begin, was, now)
            self._whole(turn)
            if turn.stop <= last:
                self._end(turn)

    def done(self) -> Sequence[Piece]:
        """All pieces, in order."""
        for turn in list(self._open):
            self._end(turn)
        for person, held in self._short.items():
            self._take(person, held)
        self._short.clear()
        return sorted(self.pieces, key=lambda p: (p.start, p.stop))

    def _whole(self, turn: Voiced) -> None:
        size, hop = round(PIECE * RATE), round(HOP * RATE)
        while len((held := self._open[turn]).was) >= size:
            self._take(turn.person, [_Open(held.begin, held.was[:size], held.now[:size])])
            self._open[turn] = _Open(held.begin + round(HOP * 1000), held.was[hop:], held.now[hop:])

    def _end(self, turn: Voiced) -> None:
        """What is left of a turn; of a long one it overlaps with the piece before, and a short one waits for others."""
        held = self._open.pop(turn)
        if len(held.was) >= LEAST * RATE or not turn.person:
            self._take(turn.person, [held])
            return
        waiting = [*self._short.pop(turn.person, ()), held]
        if sum(len(one.was) for one in waiting) >= PIECE * RATE:
            self._take(turn.person, waiting)
        else:
            self._short[turn.person] = waiting

    def _take(self, person: str, parts: Sequence[_Open]) -> None:
        was, now = np.concatenate([p.was for p in parts]), np.concatenate([p.now for p in parts])
        if _soft(now):
            return  # nobody is heard
        if len(was) < LEAST * RATE or _soft(was):
            self.lost += len(was) / RATE
            return
        before, after = self.judge(was), self.judge(now)
        undone = max(float(before @ self.judge(self.pitched(now, by))) for by in SEMITONES)
        spans = tuple(p.span for p in parts)
        self.pieces.append(Piece(spans[0][0], spans[-1][1], person, before, after, undone, spans if len(spans) > 1 else ()))


def _soft(sound: Floats) -> bool:
    return not len(sound) or float(np.sqrt(np.mean(sound.astype(np.float64)**2))) < SOFT


def own(pieces: Sequence[Piece]) -> dict[str, Floats]:
    """Each person's own voice: the mean of their pieces in the original, of length 1."""
    found = {}
    for person in {p.person for p in pieces if p.person}:
        mean = np.sum([p.was for p in pieces if p.person == person], 0)
        found[person] = np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)
    return found


def likeness(piece: Piece, voices: Mapping[str, Floats]) -> float:
    """How like the output is to whose speech it was: to the same moment, and to all that they say."""
    whole = voices.get(piece.person)
    return max(piece.same, -1.0 if whole is None else float(whole @ piece.now))


def attackers(pieces: Sequence[Piece], gallery: attack.People, seed: int = 0) -> list[attack.Verdict]:
    """The ignorant attacker, who asks of each piece whose it is, among the gallery and the people of the film.

    He has the gallery's and the people's own voices; of whom there is no other speech, what they say in the footage.
    """
    named = {person: [p for p in pieces if p.person == person] for person in {p.person for p in pieces if p.person}}
    changed = {person: [p.now for p in held] for person, held in named.items()}
    if not changed or len(set(gallery) | set(changed)) < 2:
        return []
    return [attack.ignorant({**{person: [p.was for p in held] for person, held in named.items()}, **gallery}, changed, seed)]


def informed(pieces: Sequence[Piece], alike: attack.People, elsewhere: attack.People, seed: int = 0) -> list[attack.Verdict]:
    """Attackers who have this program: speech of everybody changed with the same double (semi-informed), with another (lazy).

    Asked about is who is enrolled; nobody enrolled, or too few: no such attacker.
    """
    found = []
    for attacker, enrolled in ((attack.semi, alike), (attack.lazy, elsewhere)):
        changed = {who: held for who in enrolled if (held := [p.now for p in pieces if p.person == who])}
        if changed and len(enrolled) > 1:
            found.append(attacker(enrolled, changed, seed))
    return found
