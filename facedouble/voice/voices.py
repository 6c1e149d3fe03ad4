"""Whose voice: looks at voices gathered to the voices of a clip, and each look given to one of them, to several, or to none.

Similarity of two looks is the dot product of their prints. Means of looks are not brought to length 1: the dot product of two
means is then the mean similarity between their looks, the same for short and for long stretches of speech.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.ndimage import binary_propagation, uniform_filter1d
from scipy.spatial.distance import squareform

from facedouble.types import Array, Floats, Ints

NOBODY: Final = -1
# Two looks of one recording of a speaker: similarity .59, 95 % over .40; of two speakers: .21, 95 % below .46
# (97 recordings of 39 speakers, `bench/turns.py --voices`).
ALIKE: Final = 0.45  # mean similarity from which two stretches are one voice
PART: Final = 0.4  # of the similarity a voice has to itself: a mixture of two is so near to both
PIECE: Final = 6  # looks in a stretch that is gathered whole: 1.8 s of sound
LEAST: Final = 4  # looks that make a voice; what is less joins one of those that there are, or stays nobody's
MOST: Final = 1500  # stretches gathered at once
SWITCH: Final = 0.45  # similarity that a change of voice costs
CHANGE: Final = 5  # looks at most that see two voices because one follows the other
FAR: Final = 0.8  # of the similarity usual for its voice: below it a look may be of two
PAUSED: Final = 0.5  # of that similarity, which looks lose with all of their speech
NEAR: Final = 0.92  # beside such looks, those below this are too


def gather(prints: Array, stretches: Array) -> Floats:
    """The voices (v, D) in prints (w, D): mean prints, the one heard most first.

    stretches: (w,) number of the stretch of unbroken speech that each look is in, ascending.
    """
    if not len(prints):
        return np.zeros((0, prints.shape[1]), np.float32)
    means, counts = _pieces(prints.astype(np.float32), stretches)
    while len(means) > MOST:
        parts = [_merged(means[k : k + MOST], counts[k : k + MOST]) for k in range(0, len(means), MOST)]
        shorter = np.concatenate([p[0] for p in parts])
        if len(shorter) == len(means):
            break
        means, counts = shorter, np.concatenate([p[1] for p in parts])
    means, counts = _merged(means[:MOST], counts[:MOST])
    order = np.argsort(-counts, kind="stable")
    heard = order[counts[order] >= LEAST]
    voices: Floats = means[heard if len(heard) else order[:1]]
    return voices[[not _mixed(voices, k) or counts[heard[k]] > 2 * PIECE for k in range(len(voices))]]


def _mixed(voices: Floats, k: int) -> bool:
    """Whether a voice is rather two of those heard more, over one another or one after the other."""
    shares = np.sort(voices[:k] @ voices[k] / np.maximum((voices[:k] ** 2).sum(1), 1e-9))
    return k >= 2 and bool(shares[-2] > PART and shares[-2:].sum() > 1)


def _pieces(prints: Floats, stretches: Array) -> tuple[Floats, Array]:
    """Means (p, D) of `PIECE` looks or so, within a stretch, and how many looks each has."""
    starts: list[int] = []
    for run in np.split(np.arange(len(prints)), np.flatnonzero(np.diff(stretches)) + 1):
        starts += [int(part[0]) for part in np.array_split(run, -(-len(run) // PIECE))]
    counts = np.diff([*starts, len(prints)])
    means: Floats = (np.add.reduceat(prints, starts) / counts[:, None]).astype(np.float32)
    return means, counts


def _merged(means: Floats, counts: Array) -> tuple[Floats, Array]:
    """Stretches that are one voice put together: average linkage, down to `ALIKE`."""
    if len(means) < 2:
        return means, counts
    far = 1 - means @ means.T.astype(np.float64)
    np.fill_diagonal(far, 0)
    group = fcluster(linkage(squareform(far, checks=False), "average"), 1 - ALIKE, "distance") - 1
    total = np.bincount(group, counts)
    sums = np.zeros((len(total), means.shape[1]))
    np.add.at(sums, group, means * counts[:, None])
    return (sums / total[:, None]).astype(np.float32), total.astype(int)


def follow(near: Floats) -> Ints:
    """(w,) the voice of each look of a stretch, from its similarity to each (w, v): the likeliest path, changes cost `SWITCH`."""
    best, back = near[0].astype(np.float64), np.zeros(near.shape, np.int32)
    stay = np.arange(near.shape[1])
    for k in range(1, len(near)):
        top = int(best.argmax())
        moved = best[top] - SWITCH > best
        back[k] = np.where(moved, top, stay)
        best = np.where(moved, best[top] - SWITCH, best) + near[k]
    path = np.empty(len(near), np.int32)
    path[-1] = best.argmax()
    for k in range(len(near) - 1, 0, -1):
        path[k - 1] = back[k, path[k]]
    return path


def several(near: Floats, path: Ints, usual: Array, sure: Array) -> Array:
    """(w,) bool: looks in which two voices may speak at once, or of which it cannot be told whose they are.

    usual: (v,) similarity that looks of each voice have to it: speech of two is nearer to neither than it should be. sure: (w,)
    how much of each look is speech: looks at a pause are farther from everybody.
    """
    share = near[np.arange(len(near)), path] / usual[path] + PAUSED * (1 - sure)
    seeds = uniform_filter1d(share, 3, mode="nearest") < FAR
    mixed: Array = binary_propagation(seeds, mask=seeds | (share < NEAR))
    edges = np.flatnonzero(np.diff(np.r_[0, mixed.astype(np.int8), 0]))
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if b - a <= CHANGE and 0 < a and b < len(path) and path[a - 1] != path[b]:
            mixed[a:b] = False
    return mixed


def alike(one: Array, other: Array) -> float:
    """How alike two voices are, from their mean prints (D,): 1 the same, below about .65 two people's."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.dot(one, other) / size) if size else 0.0
