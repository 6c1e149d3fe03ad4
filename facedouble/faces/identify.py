"""Who is who: looks at tracks, as numbers, to people. "Not sure" is an answer, and the one that is given when in doubt.

A track is first cut where its looks stop agreeing; its parts are then tied to people by centroid linkage under cannot-links
(Davidson & Ravi, 2005): two faces seen at the same time are two people, or a person and a picture.
Distances are Euclidean, of dlib's 128 numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from facedouble.types import Array, Bools, Doubles, Floats, Value

EMBEDDING = 128
TONES = 6  # colours of a look: Lab of hair and of clothes
FEW = 2  # looks: a grimace or a blur is farther from the person's others
NEAREST = 3  # looks at a person that a look is compared with: the nearest ones, so that a turned head finds its like
SELF = 1e-4  # distance under which a look is compared with itself
CLEAR = 0.25  # lead over the next person at which there is no doubt left


@dataclass(frozen=True)
class Limits(Value):
    """Distances; set on one half of the people of bench/people.py.

    track: mean distance of runs of looks from which on a track holds two people; same: of the middles of people that are one;
    likely: of those that are one if nobody else is as near, by `lead`; maybe: that far they may be one, and are told as such;
    colours: Lab, of hair and clothes that tie those of one clip beyond `likely`, by up to `lead`; trust: of a look that counts;
    show: farthest that a look may be from the person to be shown; ahead: by how much everybody else has to be farther.
    """

    track: float = 0.55
    same: float = 0.44
    likely: float = 0.48
    lead: float = 0.05
    maybe: float = 0.56
    colours: float = 10.0
    trust: float = 0.04
    show: float = 0.45
    ahead: float = 0.10


@dataclass(frozen=True)
class Seen(Value):
    """What was looked at of one track.

    frames (n,) rising, embeddings (n, 128), trust (n,) in [0, 1], colours (n, 6) Lab of hair and clothes, or (n, 0).
    """

    clip: str
    track: int
    start: int
    stop: int
    frames: Array
    embeddings: Floats
    trust: Floats
    colours: Floats

    def check(self) -> None:
        n = len(self.frames)
        if self.embeddings.shape != (n, EMBEDDING) or self.trust.shape != (n,) or len(self.colours) != n:
            raise ValueError("a look has a frame, an embedding and a trust")
        if n and (np.any(np.diff(self.frames) <= 0) or self.frames[0] < self.start or self.frames[-1] >= self.stop):
            raise ValueError("looks are in the order of their frames, and inside of their track")
        if not np.isfinite(self.embeddings).all():
            raise ValueError("an embedding is made of numbers")

    def joined(self, other: Seen) -> Seen:
        """With another's looks at the same track; of two at one frame the first stays."""
        at, first = np.unique(np.concatenate([self.frames, other.frames]), return_index=True)
        both = (np.concatenate([getattr(self, k), getattr(other, k)])[first] for k in ("embeddings", "trust", "colours"))
        return Seen(self.clip, self.track, self.start, self.stop, at, *both)

    def usable(self, least: float) -> Array:
        """The numbers of the looks that count."""
        return np.flatnonzero(self.trust >= least)


@dataclass(frozen=True)
class Meeting(Value):
    """Two tracks of a clip that are seen at the same time in different places, from the first such frame to the last."""

    clip: str
    one: int
    other: int
    start: int
    stop: int


@dataclass(frozen=True, order=True)
class Piece(Value):
    """A track, or a part of it: frames start to stop."""

    clip: str
    track: int
    start: int
    stop: int
    whole: bool = True

    @property
    def name(self) -> str:
        """As the plan writes it."""
        return f"{self.clip}:{self.track}" + ("" if self.whole else f"@{self.start}-{self.stop}")


@dataclass(frozen=True)
class Person(Value):
    """Pieces that show one person; confidence in [0, 1]; if not `sure`, `why` says what the doubt is."""

    pieces: tuple[Piece, ...]
    confidence: float
    sure: bool = True
    why: str = ""

    @property
    def frames(self) -> int:
        return sum(p.stop - p.start for p in self.pieces)


@dataclass(frozen=True)
class Doubt(Value):
    """Two people (their numbers) that may be one, and their distance."""

    one: int
    other: int
    distance: float


@dataclass(frozen=True)
class People(Value):
    """Everybody: the sure ones first, whoever is there longest first; who may be one; who is in conflict with whom."""

    people: tuple[Person, ...]
    maybe: tuple[Doubt, ...]
    conflicts: tuple[Doubt, ...]

    def named(self) -> Iterator[tuple[str, Person]]:
        """Everybody with the id that the plan starts from: P1, P2, ..."""
        return ((f"P{i + 1}", person) for i, person in enumerate(self.people))


NO_FACE = "the face is never seen well enough"
CONFLICT = "two faces of one person at the same time: mirror, picture, twin?"
GLIMPSE = "seen for a moment, unlike the rest of the track"


@dataclass(frozen=True)
class _Part:
    """A piece and the looks at it that count: centre (128,) of their embeddings, their trust summed, mean colours."""

    piece: Piece
    centre: Doubles
    weight: float
    colours: Doubles
    looks: int
    alone: bool  # one look, of a track of which others do not agree with it
    inner: bool  # others, before it and after it in its track, do not agree with it


def identify(seen: Sequence[Seen], meetings: Sequence[Meeting], limits: Limits | None = None) -> People:
    """Tie the tracks of all clips to people. The order of the arguments does not matter.

    A track in whose looks nothing counts, and one that meets its own like, is on its own and not sure. Frames between two looks
    that disagree are in no piece: they are nobody's.
    """
    limits = limits or Limits()
    parts = [p for s in sorted(seen, key=lambda s: (s.clip, s.track)) for p in _parts(s, limits)]
    if not parts:
        return People((), (), ())
    points = np.array([p.centre for p in parts])
    weight = np.array([max(p.weight, 1e-3) for p in parts])
    far = distances(points)
    met = _met([p.piece for p in parts], meetings)
    seen_ = np.array([p.looks > 0 for p in parts])
    twins = met & (far <= limits.same) & seen_ & seen_[:, None]
    lone = ~seen_ | twins.any(1) | np.array([p.alone for p in parts])
    able = np.flatnonzero(~lone)
    groups = [able[g].tolist() for g in linked(points[able], weight[able], met[np.ix_(able, able)], limits)]
    groups = _by_colour(groups, parts, points, met, limits) + [[i] for i in np.flatnonzero(lone).tolist()]
    return _people(groups, parts, points, weight, met, twins, limits)


def verify(seen: Seen, person: Array, others: Sequence[Array], limits: Limits | None = None, reach: int = 12) -> Bools:
    """For a track that is to be shown: (n,) bool, in which of its frames it is that person for sure.

    Sure is what lies between two looks in a row that agree and are no more than `reach` frames apart; but nothing within so many
    frames of a look that does not agree: in a dissolve a recogniser takes the mixture for either. A look agrees if it is near to
    the person's other looks (n, 128), and everybody else's, an array (m, 128) for each of them, are clearly farther.
    """
    limits = limits or Limits()
    sure = np.zeros(seen.stop - seen.start, bool)
    own = _nearest(seen.embeddings, person)
    rest = np.min([_nearest(seen.embeddings, o) for o in others], 0) if others else np.full(len(own), np.inf)
    agree = (seen.trust >= limits.trust) & (own <= limits.show) & (rest >= own + limits.ahead)
    at = seen.frames - seen.start
    sure[at[agree]] = True
    for k in np.flatnonzero(agree[1:] & agree[:-1] & (np.diff(at) <= reach)):
        sure[at[k] : at[k + 1]] = True
    for f in at[~agree]:
        sure[max(f - reach, 0) : f + reach + 1] = False
    return sure


def looks_at(person: Person, seen: Iterable[Seen], limits: Limits | None = None) -> Floats:
    """(n, 128) the looks at a person that count."""
    least = (limits or Limits()).trust
    of = {(s.clip, s.track): s for s in seen}
    out = [np.zeros((0, EMBEDDING), np.float32)]
    for p in person.pieces:
        s = of[p.clip, p.track]
        out.append(s.embeddings[(s.trust >= least) & (s.frames >= p.start) & (s.frames < p.stop)])
    return np.concatenate(out)


def _nearest(looks: Array, person: Array) -> Doubles:
    """(n,) mean distance of each look to the `NEAREST` looks at a person, itself left out; infinite if there is none."""
    if not len(person):
        return np.full(len(looks), np.inf)
    far = between(looks, person)
    far[far < SELF] = np.inf
    far.sort(1)
    some = np.isfinite(far[:, :NEAREST])
    out: Doubles = np.where(some[:, 0], np.where(some, far[:, :NEAREST], 0).sum(1) / np.maximum(some.sum(1), 1), np.inf)
    return out


def unfinished(seen: Seen, limits: Limits) -> Iterator[tuple[int, int]]:
    """Pairs of frames of a track, one look after the other, between which the person seems to change."""
    at = seen.usable(limits.trust)
    for a, b in pairwise(_runs(seen, at, limits)):
        yield int(seen.frames[a[-1]]), int(seen.frames[b[0]])


def _runs(seen: Seen, at: Array, limits: Limits) -> list[list[int]]:
    """The looks of a track, cut where they stop agreeing: average linkage of neighbours."""
    runs = [[int(i)] for i in at]
    far = distances(seen.embeddings)
    while len(runs) > 1:
        gaps = [float(far[np.ix_(a, b)].mean()) for a, b in pairwise(runs)]
        k = int(np.argmin(gaps))
        if gaps[k] > limits.track:
            break
        runs[k : k + 2] = [runs[k] + runs[k + 1]]
    return runs


def _parts(seen: Seen, limits: Limits) -> Iterator[_Part]:
    runs = _runs(seen, seen.usable(limits.trust), limits)
    if not runs:
        yield _Part(Piece(seen.clip, seen.track, seen.start, seen.stop), np.zeros(EMBEDDING), 0.0, np.zeros(0), 0, False, False)
    for k, run in enumerate(runs):
        start = seen.start if k == 0 else int(seen.frames[run[0]])
        stop = seen.stop if k == len(runs) - 1 else int(seen.frames[run[-1]]) + 1
        trust = seen.trust[run].astype(np.float64)
        yield _Part(Piece(seen.clip, seen.track, start, stop, len(runs) == 1), centre(seen.embeddings[run], trust),
                    float(trust.sum()), seen.colours[run].mean(0, np.float64), len(run), len(run) == 1 and len(runs) > 1,
                    0 < k < len(runs) - 1)


def centre(embeddings: Array, trust: Array, turns: int = 8) -> Doubles:
    """(128,) middle of looks (n, 128), weighted, in which one bad look counts little: the geometric median (Weiszfeld, 1937)."""
    e = np.asarray(embeddings, np.float64)
    middle: Doubles = np.average(e, 0, trust)
    for _ in range(turns if len(e) > 2 else 0):
        middle = np.average(e, 0, trust / np.maximum(np.linalg.norm(e - middle, axis=1), 0.05))
    return middle


def _met(pieces: Sequence[Piece], meetings: Iterable[Meeting]) -> Bools:
    """(n, n) whether two pieces are seen at the same time in different places."""
    of: dict[tuple[str, int], list[int]] = {}
    for i, piece in enumerate(pieces):
        of.setdefault((piece.clip, piece.track), []).append(i)
    met = np.zeros((len(pieces), len(pieces)), bool)
    for m in meetings:
        for i in of.get((m.clip, m.one), ()):
            for j in of.get((m.clip, m.other), ()):
                start = max(m.start, pieces[i].start, pieces[j].start)
                met[i, j] |= start < min(m.stop, pieces[i].stop, pieces[j].stop)
    met |= met.T.copy()
    return met


def _by_colour(groups: list[list[int]], parts: Sequence[_Part], points: Doubles, met: Bools, limits: Limits) -> list[list[int]]:
    """Tie groups that are just not near enough where parts of them, in one clip, have hair and clothes of the same colours."""
    out = [list(g) for g in groups]
    members = sorted(i for g in out for i in g if parts[i].colours.size == TONES)
    if not members:
        return out
    tones = np.array([parts[i].colours for i in members]).reshape(len(members), 2, -1)
    clips = np.array([parts[i].piece.clip for i in members])
    far = distances(points[members])
    unlike = np.maximum(*(between(tones[:, k], tones[:, k]) for k in (0, 1)))
    pairs = np.argwhere(np.triu((far <= limits.maybe) & (unlike < limits.colours) & (clips[:, None] == clips), 1))
    for i, j in pairs[np.argsort(far[pairs[:, 0], pairs[:, 1]], kind="stable")].tolist():
        a, b = sorted(next(k for k, g in enumerate(out) if members[p] in g) for p in (i, j))
        middles = [np.average(points[g], 0, [parts[m].weight for m in g]) for g in (out[a], out[b])]
        near = float(np.linalg.norm(middles[0] - middles[1])) <= limits.likely + limits.lead
        if a != b and near and not met[np.ix_(out[a], out[b])].any():
            out[a] += out.pop(b)
    return [sorted(g) for g in out]


def _people(groups: list[list[int]], parts: Sequence[_Part], points: Doubles, weight: Array, met: Bools, twins: Bools,
            limits: Limits) -> People:
    """Put into words what the linkage found."""
    member = np.zeros((len(groups), len(parts)))
    for g, group in enumerate(groups):
        member[g, group] = weight[group]
    blank = np.array([parts[g[0]].looks == 0 for g in groups])
    apart = distances(member @ points / member.sum(1)[:, None])
    apart[blank] = apart[:, blank] = np.inf
    np.fill_diagonal(apart, np.inf)
    has = (member > 0).astype(float)
    meet, twin = (has @ m.astype(float) @ has.T > 0 for m in (met, twins))
    clash = twin | (meet & (apart <= limits.same))
    found = []
    for g, group in enumerate(groups):
        why = NO_FACE if blank[g] else CONFLICT if clash[g].any() else ""
        if not why and all(parts[i].alone or parts[i].inner for i in group):
            why = GLIMPSE
        lead = float(apart[g].min(initial=np.inf)) - limits.same
        confidence = 0.0 if why else float(np.clip(lead / CLEAR, 0, 1))
        found.append(Person(_rejoined([parts[i].piece for i in group], parts), confidence, not why, why))
    order = sorted(range(len(found)), key=lambda g: (not found[g].sure, -found[g].frames, found[g].pieces))
    place = {g: k for k, g in enumerate(order)}
    maybe, conflicts = list[Doubt](), list[Doubt]()
    for g, h in np.argwhere(np.triu(apart <= limits.maybe)).tolist():
        a, b = sorted((place[g], place[h]))
        if clash[g, h] or not meet[g, h]:
            (conflicts if clash[g, h] else maybe).append(Doubt(a, b, round(float(apart[g, h]), 4)))
    maybe, conflicts = (sorted(d, key=lambda d: (d.distance, d.one, d.other)) for d in (maybe, conflicts))
    return People(tuple(found[g] for g in order), tuple(maybe), tuple(conflicts))


def _rejoined(pieces: list[Piece], parts: Sequence[_Part]) -> tuple[Piece, ...]:
    """Neighbouring pieces of a track that turned out to be one person, as one piece."""
    order: dict[tuple[str, int], list[Piece]] = {}
    for part in parts:
        order.setdefault((part.piece.clip, part.piece.track), []).append(part.piece)
    out: list[Piece] = []
    for piece in sorted(pieces):
        row = order[piece.clip, piece.track]
        k = row.index(piece)
        if k and out and (out[-1].clip, out[-1].track, out[-1].stop) == (piece.clip, piece.track, row[k - 1].stop):
            start = out[-1].start
            out[-1] = Piece(piece.clip, piece.track, start, piece.stop, start == row[0].start and piece == row[-1])
        else:
            out.append(piece)
    return tuple(out)


def linked(points: Array, weight: Array, apart: Bools, limits: Limits) -> list[list[int]]:
    """Centroid linkage (Sokal & Michener, 1958) of points (n, k) with weights (n,): lists of their numbers.

    Centroids, because what one recording adds to a face shrinks with each further one, and what sets two people apart does
    not. Groups with members that are `apart` (n, n) stay so. Those nearer than `same` are one. Those up to `likely` are one if
    nobody stands between them: no third group as near to either, to within `lead`, that is not near to the other as well.
    """
    middle, weight, apart = np.array(points, np.float64), np.array(weight, np.float64), np.array(apart, bool)
    groups = [[i] for i in range(len(middle))]
    far = distances(middle)
    np.fill_diagonal(far, np.inf)
    while len(far):
        i, j = _next(far, apart, limits)
        if i < 0:
            break
        middle[i] = (middle[i] * weight[i] + middle[j] * weight[j]) / (weight[i] + weight[j])
        weight[i] += weight[j]
        groups[i], groups[j] = groups[i] + groups[j], []
        apart[i] |= apart[j]
        apart[:, i] = apart[i]
        alive = np.isfinite(far[i]) | np.isfinite(far[j])
        far[i] = np.where(alive, np.linalg.norm(middle - middle[i], axis=1), np.inf)
        far[:, i] = far[i]
        far[i, i] = far[j] = far[:, j] = np.inf
    return [sorted(g) for g in groups if g]


def _next(far: Doubles, apart: Bools, limits: Limits) -> tuple[int, int]:
    """The two groups to be tied next, -1 if there are none."""
    open_ = np.where(apart, np.inf, far)
    i, j = np.unravel_index(np.argmin(open_), far.shape)
    if open_[i, j] <= limits.same:
        return int(i), int(j)
    pairs = np.argwhere(np.triu(open_ <= limits.likely))
    for i, j in pairs[np.argsort(far[pairs[:, 0], pairs[:, 1]], kind="stable")]:
        near = np.minimum(far[i], far[j]) < far[i, j] + limits.lead
        alien = (np.maximum(far[i], far[j]) > limits.likely + limits.lead) | apart[i] | apart[j]
        alien[[i, j]] = False
        if not (near & alien).any():
            return int(i), int(j)
    return -1, -1


def tie(embeddings: Array, moments: Sequence[object], stray: float, limits: Limits | None = None) -> list[list[int]]:
    """Which of single looks (n, 128), without tracks, are one person: lists of their numbers, the person seen most often first.

    Two faces of one moment are two people. One seen no more than `FEW` times goes to the person it is nearest to, if it is
    nearer than `stray`.
    """
    if not len(embeddings):
        return []
    when = np.unique([repr(m) for m in moments], return_inverse=True)[1]
    apart, far = when[:, None] == when, distances(embeddings)
    groups = linked(embeddings, np.ones(len(far)), apart, limits or Limits())
    for few in [g for g in groups if len(g) <= FEW]:
        whole = [(float(far[np.ix_(few, g)].mean()), k) for k, g in enumerate(groups)
                 if len(g) > FEW and not apart[np.ix_(few, g)].any()]
        near, k = min(whole, default=(np.inf, -1))
        if near <= stray:
            groups[k] = sorted(groups[k] + few)
            groups.remove(few)
    return sorted(groups, key=lambda g: (-len(g), g[0]))


def between(a: Array, b: Array) -> Doubles:
    """(n, m) distances of embeddings (n, 128) to others (m, 128)."""
    p, q = (np.asarray(e, np.float64) for e in (a, b))
    out: Doubles = np.sqrt(np.maximum((p * p).sum(1)[:, None] + (q * q).sum(1) - 2 * p @ q.T, 0))
    return out


def distances(embeddings: Array) -> Doubles:
    """(n, n) distances between embeddings (n, 128)."""
    return between(embeddings, embeddings)
