"""Who speaks when: films of two people put together from real clips, with known truth; and voices alone, from recordings.

    .venv/bin/python bench/turns.py [--pairs N]          pictures and sound, through detection, tracking and fit
    .venv/bin/python bench/turns.py --numbers            lips of each clip by itself, put together with its sound: all pairs
    .venv/bin/python bench/turns.py --voices             sound only: conversations put together from recordings

Truth is the time in which the detector hears speech in each clip by itself. A listener is the person's quiet frames, to and fro.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise, zip_longest
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import soxr

from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes, analyse
from facedouble.pipeline.hearing import Ears, hear, lips_of, open_ears, times
from facedouble.pipeline.protect import open_eyes
from facedouble.pipeline.score import Cue, Score
from facedouble.types import Array, Bytes, Floats, Turn
from facedouble.voice.listen import Heard, Listener
from facedouble.voice.onscreen import Lips, assign, split
from facedouble.voice.speech import turns

DATA: Final = Path("../shared/data")
RATE, HZ, SIDE = 16_000, 25, 320
FRAME: Final = RATE // HZ  # samples of a frame
# clips whose sound is the speech of the person in them; a line is one person
PEOPLE: Final = (("sad_a.mp4", "vr_3.mp4"), ("vr_1.mp4",), ("vr_4.mp4",), ("grid_id2_swwp2s.mpg", "grid_pwij3p.mpg"),
                 ("grid_bbaf2n.mpg",), ("grid_brbk7n.mpg",), ("grid_lbax4n.mpg",), ("grid_lwbsza.mpg",), ("grid_swiz3n.mpg",))
# faces that move and do not speak
FACES: Final = ("lp_d10.mp4", "lp_d12.mp4", "lp_d18.mp4", "asl_bird.mkv", "asl_book.mkv")
KINDS: Final = ("side by side", "shots", "reactions", "narrator", "narrator over a talking face", "narrator over moving faces",
                "both talk, one heard", "overlap")
HEAD: Final = ("| film | on screen, s | right | wrong | undecided | off screen, s | given to a face | two at once, s | "
               "given to a face |\n|---|---|---|---|---|---|---|---|---|")


@dataclass(frozen=True)
class Clip:
    """Pictures (n, SIDE, SIDE, 3) at 25 a second, sound (n * FRAME,), where it is speech (n * FRAME,) bool, quiet frames.

    Instead of the pictures it may hold how far apart the lips are in each of them, (n,): then films are of numbers.
    """

    pictures: Array
    sound: Floats
    speech: Array
    quiet: tuple[int, int]

    def rest(self, count: int) -> Array:
        """`count` pictures of a listener."""
        there = np.arange(*self.quiet)
        path = np.r_[there, there[::-1]]
        return np.asarray(self.pictures[path[np.arange(count) % len(path)]])


def sound_of(path: Path) -> Floats:
    """The first sound stream of a file, mono, 16 kHz, at one loudness; nothing if it has none."""
    with av.open(str(path)) as box:
        if not box.streams.audio:
            return np.zeros(0, np.float32)
        stream, to = box.streams.audio[0], av.AudioResampler(format="flt", layout="mono")
        parts = [np.asarray(m.to_ndarray()).ravel() for f in box.decode(stream) for m in to.resample(f)]
        rate = stream.codec_context.sample_rate
    sound = np.asarray(soxr.resample(np.concatenate(parts), rate, RATE), np.float32)
    return sound * np.float32(0.05 / max(float(np.sqrt(np.mean(sound**2))), 1e-6))


def pictures_of(path: Path) -> Bytes:
    """A clip's frames, 25 a second, the middle square, SIDE px."""
    with av.open(str(path)) as box:
        stream = box.streams.video[0]
        shown, times = [], []
        for frame in box.decode(stream):
            rgb = frame.to_ndarray(format="rgb24")
            h, w = rgb.shape[:2]
            s, y, x = min(h, w), 0, (w - min(h, w)) // 2
            shown.append(cv2.resize(rgb[y : y + s, x : x + s], (SIDE, SIDE), interpolation=cv2.INTER_AREA))
            times.append(float(frame.time or 0.0))
    at = np.array(times) - times[0]
    ticks = np.arange(int((at[-1] + at[1]) * HZ)) / HZ
    out: Bytes = np.stack([shown[k] for k in np.clip(np.searchsorted(at, ticks + 1e-3, "right") - 1, 0, len(shown) - 1)])
    return out


def speech_in(sound: Floats, ears: Ears) -> Array:
    """(N,) bool where the detector hears speech."""
    padded = np.concatenate([sound, np.zeros(-len(sound) % 512, np.float32)])
    return np.repeat(ears.activity()(padded) > 0.5, 512)[: len(sound)]


def lips_in(path: Path, eyes: Eyes) -> Floats:
    """How far apart the lips are in a clip of one person, 25 a second."""
    made = analyse(probe(path), eyes, Options())
    found = lips_of(max(made.roles, key=lambda r: len(r.track.faces)), times(made))
    assert found is not None
    known = np.isfinite(found.gap)
    first = float(times(made)[0]) - 0.5 / float(made.info.rate)
    ticks = first + (np.arange(int(made.frames / float(made.info.rate) * HZ)) + 0.5) / HZ
    return np.interp(ticks, found.times[known], found.gap[known]).astype(np.float32)


def read(name: str, ears: Ears, eyes: Eyes | None = None) -> Clip:
    """A clip by its name; its lips alone, if there are eyes to look."""
    path = DATA / "video" / name
    pictures: Array = pictures_of(path) if eyes is None else lips_in(path, eyes)
    sound = sound_of(path)
    count = min(len(pictures), len(sound) // FRAME) if len(sound) else len(pictures)
    sound = sound[: count * FRAME] if len(sound) else np.zeros(count * FRAME, np.float32)
    speech = speech_in(sound, ears)
    free = ~speech.reshape(count, FRAME).any(1)
    edges = np.flatnonzero(np.diff(np.r_[0, free.astype(int), 0]))
    spans = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)) or [(0, 1)]
    a, b = max(spans, key=lambda s: s[1] - s[0])
    return Clip(pictures[:count], sound, speech, (a + 2 * (a > 0), max(b - 3 * (b < count), a + 3)))


def parts(clip: Clip) -> list[Clip]:
    """A long clip cut at its pauses."""
    count = len(clip.pictures)
    free = clip.speech.reshape(count, FRAME).mean(1) <= 0.5
    edges = np.flatnonzero(np.diff(np.r_[0, free.astype(int), 0]))
    middles = [(a + b) // 2 for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True) if b - a >= 5]
    ends = [0, *(m for m in middles if 30 < m < count - 30 and count >= 90), count]
    return [Clip(clip.pictures[a:b], clip.sound[a * FRAME : b * FRAME], clip.speech[a * FRAME : b * FRAME], clip.quiet)
            for a, b in pairwise(ends)]


@dataclass(frozen=True)
class Scene:
    """A stretch of a film: pictures of the left and of the right person, None where not shown; sound; who is heard when.

    heard: (3, N) bool, the speech of the left person, of the right one, of somebody off screen.
    """

    left: Array | None
    right: Array | None
    sound: Floats
    heard: Array


def scene(views: Sequence[Array | None], sound: Floats, speech: Array, who: int) -> Scene:
    """One speaker, `who`: 0 left, 1 right, 2 off screen."""
    heard = np.zeros((3, len(sound)), bool)
    heard[who] = speech
    return Scene(views[0], views[1], sound, heard)


def talk(kind: str, one: Sequence[Clip], other: Sequence[Clip], voice: tuple[Floats, Array], still: Array) -> Iterator[Scene]:
    """The scenes of a film of two people. voice: a narrator's sound and speech; still: pictures of a face that moves, unheard."""
    both = [p for pair in zip_longest([(0, c) for k in one for c in parts(k)][:4], [(1, c) for k in other for c in parts(k)][:4])
            for p in pair if p is not None]
    listeners = one[0], other[0]
    if kind.startswith("narrator"):
        yield from _narrated(kind, both[:2], listeners, voice, still)
        return
    for k, (who, clip) in enumerate(both):
        n = len(clip.pictures)
        views: list[Array | None] = [None, None]
        views[who] = clip.pictures
        if kind in ("side by side", "overlap"):
            views[1 - who] = listeners[1 - who].rest(n)
        if kind == "both talk, one heard":
            views[1 - who] = again(both[(k + 1) % len(both)][1].pictures, n)
        if kind == "reactions":
            h = n // 2
            first, second = [v if v is None else v[:h] for v in views], list[Array | None]([None, None])
            second[1 - who] = listeners[1 - who].rest(n - h)
            yield scene(first, clip.sound[: h * FRAME], clip.speech[: h * FRAME], who)
            yield scene(second, clip.sound[h * FRAME :], clip.speech[h * FRAME :], who)
        else:
            yield scene(views, clip.sound, clip.speech, who)
    if kind == "overlap":
        a, b = both[0][1], both[1][1]
        n = min(len(a.pictures), len(b.pictures))
        heard = np.stack([a.speech[: n * FRAME], b.speech[: n * FRAME], np.zeros(n * FRAME, bool)])
        yield Scene(a.pictures[:n], b.pictures[:n], a.sound[: n * FRAME] + b.sound[: n * FRAME], heard)


def again(pictures: Array, count: int) -> Array:
    """The first `count` pictures, over and over if there are fewer."""
    return np.asarray(pictures[np.arange(count) % len(pictures)])


def _narrated(kind: str, both: Sequence[tuple[int, Clip]], listeners: Sequence[Clip], voice: tuple[Floats, Array],
              still: Array) -> Iterator[Scene]:
    for who, clip in both:
        views: list[Array | None] = [None, None]
        views[who], views[1 - who] = clip.pictures, listeners[1 - who].rest(len(clip.pictures))
        yield scene(views, clip.sound, clip.speech, who)
    n = len(voice[0]) // FRAME
    views = [x.rest(n) for x in listeners]
    if kind == "narrator over a talking face":
        views[0] = again(both[0][1].pictures, n)
    if kind == "narrator over moving faces":
        views = [still[:n], None]
        n = min(n, len(still))
    yield scene(views, voice[0][: n * FRAME], voice[1][: n * FRAME], 2)


def film(scenes: Sequence[Scene], path: Path) -> None:
    """Write scenes as H.264 and AAC."""
    rng = np.random.default_rng(7)
    with av.open(str(path), "w", format="mp4") as box:
        video: Any = box.add_stream("libx264", rate=HZ)
        video.width, video.height, video.pix_fmt, video.options = 2 * SIDE, SIDE, "yuv420p", {"crf": "17", "preset": "veryfast"}
        audio: Any = box.add_stream("aac", rate=RATE)
        audio.codec_context.layout, audio.codec_context.bit_rate = "mono", 96_000
        at = 0
        for s in scenes:
            for k in range(len(s.sound) // FRAME):
                frame = av.VideoFrame.from_ndarray(picture(s, k), format="rgb24")
                frame.pts, frame.time_base = at, Fraction(1, HZ)
                box.mux(video.encode(frame))
                part = s.sound[k * FRAME : (k + 1) * FRAME] + rng.standard_normal(FRAME).astype(np.float32) * np.float32(3e-4)
                block = av.AudioFrame.from_ndarray(part[None].astype(np.float32), format="fltp", layout="mono")
                block.sample_rate, block.pts, block.time_base = RATE, at * FRAME, Fraction(1, RATE)
                box.mux(audio.encode(block))
                at += 1
        box.mux(video.encode(None))
        box.mux(audio.encode(None))


def picture(s: Scene, k: int) -> Bytes:
    """Frame k of a scene: both people side by side, or one on their side of another wall."""
    out = np.full((SIDE, 2 * SIDE, 3), 60 if s.right is None else 150, np.uint8)
    if s.left is not None:
        out[:, :SIDE] = s.left[k]
    if s.right is not None:
        out[:, SIDE:] = s.right[k]
    return out


def places(made: Analysis, samples: int) -> dict[int, Array]:
    """By track: (samples,) in which half of the picture it is, 0 left, 1 right, -1 not there."""
    found: dict[int, Array] = {}
    for role in made.roles:
        found[role.track.id] = np.full(samples, -1)
        for k, box in enumerate(role.boxes):
            a = (role.track.start + k) * FRAME
            found[role.track.id][a : a + FRAME] = int(box.centre[0] > SIDE)
    return found


def spans(scenes: Sequence[Scene]) -> Iterator[tuple[Scene, int, int]]:
    """Each scene with its first sample and the one after its last."""
    ends = np.cumsum([0, *(len(s.sound) for s in scenes)]).tolist()
    yield from zip(scenes, ends[:-1], ends[1:], strict=True)


def judged(scenes: Sequence[Scene], whose: Mapping[int, Array], found: Sequence[Turn]) -> Array:
    """(7,) s of speech: on screen given right, wrong, undecided; off screen left alone, given; of two at once given to one."""
    heard = np.concatenate([s.heard for s in scenes], 1)
    seen = np.zeros(heard.shape, bool)
    for s, a, b in spans(scenes):
        seen[:2, a:b] = [[s.left is not None], [s.right is not None]]
    given = np.full(heard.shape[1], -1)
    for t in found:
        if t.track is not None:
            given[t.start : t.stop] = np.where(whose[t.track][t.start : t.stop] < 0, 9, whose[t.track][t.start : t.stop])
    one, two = heard.sum(0) == 1, heard.sum(0) > 1
    on = [one & heard[w] & seen[w] for w in (0, 1)]
    off = one & ~(on[0] | on[1])
    right = sum(int((on[w] & (given == w)).sum()) for w in (0, 1))
    missed = sum(int((on[w] & (given == -1)).sum()) for w in (0, 1))
    all_on = int((on[0] | on[1]).sum())
    return np.array([right, all_on - right - missed, missed, (off & (given == -1)).sum(), (off & (given >= 0)).sum(),
                     (two & (given >= 0)).sum(), two.sum()]) / RATE


def pictured(pairs: int, kinds: Sequence[str]) -> None:
    """Films, one row of figures a kind."""
    eyes, ears, options = open_eyes(Options()), open_ears(), Options()
    clips = {n: read(n, ears) for names in PEOPLE for n in names}
    stills = [pictures_of(DATA / "video" / n) for n in FACES]
    chosen = list(combinations(range(len(PEOPLE)), 2))[:: max(1, 36 // pairs)][:pairs]
    spoken = sorted((DATA / "speech").glob("ls-clean_*"))
    print(HEAD, flush=True)
    for kind in kinds:
        total, known = np.zeros(7), np.zeros(7)
        for k, (a, b) in enumerate(chosen):
            sound = sound_of(spoken[k % len(spoken)])[: 5 * RATE]
            one, other = ([clips[n] for n in PEOPLE[p]] for p in (a, b))
            scenes = list(talk(kind, one, other, (sound, speech_in(sound, ears)), stills[k % len(stills)]))
            with tempfile.TemporaryDirectory() as folder:
                film(scenes, Path(folder, "film.mp4"))
                made = analyse(probe(Path(folder, "film.mp4")), eyes, options)
                where = places(made, sum(len(s.sound) for s in scenes))
                got = judged(scenes, where, hear(made, ears))
                known += judged(scenes, where, hear(made, ears, people_of(where)))
            total += got
            print(kind, a, b, np.round(got, 1).tolist(), file=sys.stderr, flush=True)
        print(row(kind, total), flush=True)
        if kind in ("shots", "reactions"):
            print(row(f"{kind}, who is who known", known), flush=True)


def people_of(where: Mapping[int, Array]) -> dict[int, int]:
    """Who each track is, as `hear` takes it."""
    return {t: int(np.median(p[p >= 0])) for t, p in where.items()}


def numbered(kinds: Sequence[str]) -> None:
    """Films of every two people out of the lips and the sound of each clip, without drawing a picture."""
    eyes, ears = open_eyes(Options()), open_ears()
    clips = {n: read(n, ears, eyes) for names in PEOPLE for n in names}
    stills = [lips_in(DATA / "video" / n, eyes) for n in FACES[:3]]
    spoken = sorted((DATA / "speech").glob("ls-clean_*"))
    print(HEAD, flush=True)
    for kind in kinds:
        total, known = np.zeros(7), np.zeros(7)
        for k, pair in enumerate(combinations(PEOPLE, 2)):
            one, other = ([clips[n] for n in names] for names in pair)
            sound = sound_of(spoken[k % len(spoken)])[: 5 * RATE]
            scenes = list(talk(kind, one, other, (sound, speech_in(sound, ears)), stills[k % len(stills)]))
            rng = np.random.default_rng(7)
            whole = np.concatenate([s.sound for s in scenes])
            heard = heard_of(whole + rng.standard_normal(len(whole)).astype(np.float32) * np.float32(3e-4), ears)
            faces, where, cuts = _shown(scenes)
            found = tuple(split(turns(heard).turns, cuts))
            total += judged(scenes, where, assign(found, heard, faces))
            known += judged(scenes, where, assign(found, heard, faces, people_of(where)))
        print(row(kind, total), flush=True)
        if kind in ("shots", "reactions"):
            print(row(f"{kind}, who is who known", known), flush=True)


def _shown(scenes: Sequence[Scene]) -> tuple[list[Lips], dict[int, Array], list[float]]:
    """The tracks of a film of numbers, in which half of the picture each is, and the samples of its cuts."""
    parts: list[list[tuple[int, Array]]] = []
    last: list[int | None] = [None, None]
    cuts: set[float] = set()
    sides: list[int] = []
    for s, a, _ in spans(scenes):
        for side, view in enumerate((s.left, s.right)):
            if (view is None) != (last[side] is None):
                cuts.add(float(a))
            if view is None:
                last[side] = None
                continue
            if last[side] is None:
                last[side] = len(parts)
                parts.append([])
                sides.append(side)
            parts[last[side] or 0].append((a, view))
    samples = sum(len(s.sound) for s in scenes)
    faces, where = list[Lips](), dict[int, Array]()
    for track, views in enumerate(parts):
        gap, first = np.concatenate([v for _, v in views]), views[0][0]
        faces.append(Lips(track, first / RATE + (np.arange(len(gap)) + 0.5) / HZ, gap))
        where[track] = np.full(samples, -1)
        where[track][first : first + len(gap) * FRAME] = sides[track]
    return faces, where, sorted(cuts - {0.0})


def row(kind: str, total: Array) -> str:
    """A line of the table."""
    on, off = total[:3].sum(), total[3:5].sum()
    shares = " | ".join(f"{100 * x / max(on, 1e-9):.1f} %" for x in total[:3])
    return (f"| {kind} | {on:.0f} | {shares} | {off:.0f} | {100 * total[4] / max(off, 1e-9):.1f} % | {total[6]:.0f} | "
            f"{100 * total[5] / max(total[6], 1e-9):.0f} % |")


def heard_of(sound: Floats, ears: Ears) -> Heard:
    """What is kept of a sound."""
    listener = Listener(ears.activity(), ears.voiceprint)
    for k in range(0, len(sound), 1 << 14):
        listener.add(sound[k : k + (1 << 14)])
    return listener.done()


def main() -> None:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--numbers", action="store_true")
    parser.add_argument("--voices", action="store_true")
    asked = parser.parse_args()
    if asked.voices:
        voices(asked.pairs)
    elif asked.numbers:
        numbered(asked.kinds)
    else:
        pictured(asked.pairs, asked.kinds)


def conversation(speakers: Sequence[Sequence[Path]], rng: np.random.Generator, over: float,
                 ears: Ears, at_once: bool = False) -> tuple[Floats, Array]:
    """Twelve stretches of 1 to 6 s by these speakers, and (s, N) who is heard when.

    over: share of them that begin too early. at_once: each is cut to where it is speech, and the next follows within .05 s.
    """
    sound, truth, who = rng.standard_normal(RATE // 2).astype(np.float32) * np.float32(1e-4), list[tuple[int, int, Array]](), -1
    for _ in range(12):
        who = int(rng.choice([k for k in range(len(speakers)) if k != who or len(speakers) == 1]))
        said = sound_of(speakers[who][int(rng.integers(len(speakers[who])))])[RATE // 4 :][: int(rng.uniform(1, 6) * RATE)]
        gap = -rng.uniform(0.5, 1.5) if rng.random() < over else rng.uniform(0, 0.05 if at_once else 0.8)
        if at_once and (spoken := np.flatnonzero(speech_in(said, ears))).size:
            said = said[spoken[0] : spoken[-1] + 1]
        start = max(len(sound) + round(gap * RATE), 0)
        longer = rng.standard_normal(max(len(sound), start + len(said))).astype(np.float32) * np.float32(1e-4)
        longer[: len(sound)] = sound
        longer[start : start + len(said)] += said
        sound = longer
        truth.append((who, start, speech_in(said, ears)))
    heard = np.zeros((len(speakers), len(sound)), bool)
    for k, start, speech in truth:
        heard[k, start : start + len(speech)] |= speech
    return sound, heard


def sorted_out(heard: Array, found: Sequence[Turn]) -> Array:
    """(6,) s: given to the speaker's main voice, to another of their voices, to somebody else's, left open, missed; two at once
    that were given to one.
    """
    label = np.full(heard.shape[1], -2)
    for t in found:
        if not any(f.endswith("?") for f in t.flags):
            label[t.start : t.stop] = t.voice
    one, two = heard.sum(0) == 1, heard.sum(0) > 1
    shares = np.array([[(h & one & (label == v)).sum() for v in range(max(label.max() + 1, 1))] for h in heard])
    owner = shares.argmax(0)
    mine = np.array([[n if owner[v] == k else 0 for v, n in enumerate(row)] for k, row in enumerate(shares)])
    own = mine.max(1).sum()
    open_, missed = (one & (label == -1)).sum(), (one & (label == -2)).sum()
    rest = mine.sum() - own, shares.sum() - mine.sum(), open_, missed, (two & (label >= 0)).sum(), two.sum()
    return np.array([own, *rest]) / RATE


def guarded(heard: Array, found: Sequence[Turn]) -> Array:
    """(4,) s: of others in the turns of a voice that is kept while the rest is not, as found and less the score's guards; and of
    the speaker who is kept, the same two. Summed over all voices.
    """
    total = np.zeros(4)
    for v in {t.voice for t in found if t.voice >= 0}:
        cues = tuple(Cue(k, t.start * 1000 // RATE, -(-t.stop * 1000 // RATE), "keep" if t.voice == v else "mute", flags=t.flags)
                     for k, t in enumerate(found, 1))
        score = Score(heard.shape[1] * 1000 // RATE, cues, speech=tuple((c.start, c.stop) for c in cues))
        kept = np.zeros(heard.shape[1], bool)
        for t in found:
            kept[t.start : t.stop] |= t.voice == v
        for t in found:
            kept[t.start : t.stop] &= t.voice == v
        less = kept.copy()
        for a, b in score.guards:
            less[a * RATE // 1000 : b * RATE // 1000] = False
        owner = int((heard & kept).sum(1).argmax())
        others = np.delete(heard, owner, 0).any(0)
        total += [(others & kept).sum(), (others & less).sum(), (heard[owner] & kept).sum(), (heard[owner] & less).sum()]
    return total / RATE


def voices(many: int) -> None:
    """Conversations out of recordings of single speakers, a row of figures each kind."""
    ears, rng, by = open_ears(), np.random.default_rng(7), dict[str, list[Path]]()
    for path in sorted([*(DATA / "speech").glob("ls-*"), *(DATA / "speech").glob("so762*")]):
        by.setdefault(path.name.split("_")[1].split("-")[0], []).append(path)
    print("| conversations | speech, s | own voice | another of theirs | somebody else's | open | missed | two at once, s | "
          "given to one | of others in kept turns, s: as found | less guards | lost of the kept |\n"
          "|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for count, over, at_once in ((1, 0.0, False), (2, 0.0, False), (3, 0.0, False), (2, 0.4, False), (2, 0.0, True)):
        total, beside = np.zeros(7), np.zeros(4)
        for _ in range(many):
            sound, heard = conversation([by[n] for n in rng.choice(sorted(by), count, replace=False)], rng, over, ears, at_once)
            found = turns(heard_of(sound, ears)).turns
            total += sorted_out(heard, found)
            beside += guarded(heard, found)
        shares = " | ".join(f"{100 * x / total[:5].sum():.1f} %" for x in total[:5])
        name = f"{many} of {count}" + (", talking over each other" if over else ", answering at once" if at_once else "")
        print(f"| {name} | {total[:5].sum():.0f} | {shares} | {total[6]:.0f} | {100 * total[5] / max(total[6], 1e-9):.0f} % | "
              f"{beside[0]:.1f} | {beside[1]:.1f} | {100 * (1 - beside[3] / beside[2]):.1f} % |", flush=True)


if __name__ == "__main__":
    main()
