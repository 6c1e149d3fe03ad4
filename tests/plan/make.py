"""Plans for the tests: one by hand, and random ones."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import strategies as st

from facedouble.plan.people import FACES, HAIR, HIDES, OPEN, Decision, Person, Span, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.values import COVERS, DIRECTIONS, SHAPES, STANDS, STATES, Card, Check, Clip, DoubleFile, Ignored, Key, Region
from facedouble.plan.voices import AMBIENCES, BLEEPS, Ambience, Bleep, Speech, VoiceFile, Voicing

FILM = """\
# our film, second cut
version = 1

[[clip]]
id = "A"
file = "square.mp4"
sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
frames = 500
rate = 25

# the witness
[[person]]
id = "P1"
name = "Rose"   # as in the transcript
faces = [
  "A:0",   # comes in
  # at night
  "A:1",
  "B:2@10-90",   # in the mirror
]
face = "double ana"
decided_by = "Lin"
  # called her again in May

  [[person.span]]
  clip = "A"
  from = 100
  to = "00:00:08.000"
  face = "hide"
  halo = 0.25

# second camera
[[clip]]
id = "B"
file = "car.mov"
sha256 = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
frames = 300
rate = "30000/1001"

[[double]]
name = "ana"
file = "ana.fdouble"

# the rescuer
[[person]]
id = "P2"
name = "Sam"
faces = ["A:5", "B:0"]
face = "show"   # signed on paper
decided_by = "Sam"
reason = "speaks for the crew"

[[person]]   # who is that?
id = "P3"
name = "Person 3"
faces = ["A:7"]
hair = "cap"

[[region]]
clip = "A"
name = "logo"
cover = "solid"
shape = "box"
from = 0
to = 200
keys = [
  { at = 0, x = 400, y = 300, w = 80, h = 40 },   # from the shoulder
  { at = 4.0, x = 500.5, y = 300, w = 80, h = 40, angle = 10 },
]

[[check]]
clip = "B"
from = 0
to = 300
what = "number plate"

# the end
"""
CLIPS = (Clip("A", "a.mp4", "a" * 64, 60, Fraction(25)), Clip("B", "b é.mp4", "b" * 64, 40, Fraction(30000, 1001), "0123"))
DOUBLES = (DoubleFile("ana", "ana.fdouble"), DoubleFile("ben", "doubles/ben.fdouble"))
FRAMES = {clip.id: clip.frames for clip in CLIPS}
VOICES = (VoiceFile("noor", "noor.fvoice"), VoiceFile("iva", "voices/iva.fvoice"))
TRACKS = 4

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = texts.filter(lambda s: bool(s.strip()))
halos = st.none() | st.floats(0, 1)


@st.composite
def stretches(draw: st.DrawFn, frames: int) -> tuple[int, int]:
    start = draw(st.integers(0, frames - 1))
    return start, draw(st.integers(start + 1, frames))


@st.composite
def track_names(draw: st.DrawFn) -> TrackName:
    clip = draw(st.sampled_from(CLIPS))
    start, stop = draw(st.just((0, None)) | stretches(clip.frames))
    return TrackName(clip.id, draw(st.integers(0, TRACKS - 1)), start, stop)


@st.composite
def decisions(draw: st.DrawFn, faces: tuple[str, ...] = FACES) -> Decision:
    face = draw(st.sampled_from(faces))
    said = words if face in OPEN else texts
    return Decision(face, draw(st.sampled_from(["ana", "ben"])) if face == "double" else None, draw(said), draw(said))


@st.composite
def spans(draw: st.DrawFn, usual: Decision) -> list[Span]:
    """Spans of one person that do not overlap, with gaps or without."""
    found: list[Span] = []
    for clip in CLIPS:
        edges = sorted(draw(st.sets(st.integers(0, clip.frames), max_size=6)))
        before, end = usual.face, 0
        for start, stop in pairwise(edges):
            if draw(st.booleans()):
                continue
            last = before if start == end else usual.face
            barred = last in OPEN or usual.face in OPEN
            decision = draw(decisions(tuple(face for face in FACES if not (face == "reveal" and barred))))
            dissolve = draw(st.integers(1, stop - start)) if decision.face == "reveal" else 0
            found.append(Span(clip.id, start, stop, decision, draw(halos), draw(st.none() | st.sampled_from(HAIR)), dissolve,
                              draw(st.none() | st.sampled_from(HIDES))))
            before, end = decision.face, stop
    return draw(st.permutations(found))


@st.composite
def voicings(draw: st.DrawFn) -> Voicing:
    said = draw(st.sampled_from(["mute", "keep", "double noor", "double iva", "revoice takes", "revoice takes/ö 3.wav"]))
    told = words if said == "keep" else texts
    return Voicing.of_words(said, draw(told), draw(told))


@st.composite
def spoken(draw: st.DrawFn, ids: list[str]) -> Speech:
    clip = draw(st.sampled_from(CLIPS))
    start = draw(st.integers(0, int(clip.frames / clip.rate * 1000) - 1))
    return Speech(clip.id, start, start + draw(st.integers(1, 3000)), draw(st.sampled_from(["", *ids])),
                  draw(st.none() | voicings()), draw(st.integers(-1, 3)), tuple(draw(st.lists(words, max_size=2))))


@st.composite
def bleeps(draw: st.DrawFn) -> Bleep:
    clip = draw(st.sampled_from(CLIPS))
    start = draw(st.integers(0, int(clip.frames / clip.rate * 1000) - 1))
    return Bleep(clip.id, start, start + draw(st.integers(1, 900)), draw(texts), draw(texts), draw(st.sampled_from(BLEEPS)))


@st.composite
def ambiences(draw: st.DrawFn) -> Ambience:
    kind = draw(st.sampled_from(AMBIENCES))
    told = words if kind == "keep" else texts
    return Ambience(kind, draw(told), draw(told))


@st.composite
def people(draw: st.DrawFn, number: int) -> Person:
    decision = draw(decisions(tuple(face for face in FACES if face != "reveal")))
    voice = draw(voicings())
    return Person(f"P{number}", f"{draw(texts)} {number}", tuple(draw(st.lists(track_names(), max_size=4))), decision,
                  draw(halos), draw(st.sampled_from(HAIR)), tuple(draw(spans(decision))), voice.said, voice.reason,
                  draw(st.sampled_from(HIDES)), voice.by)


@st.composite
def regions(draw: st.DrawFn, number: int) -> Region:
    clip = draw(st.sampled_from(CLIPS))
    far, size = st.floats(-9999, 9999), st.floats(0.1, 9999)
    keys = tuple(Key(frame, draw(far), draw(far), draw(size), draw(size), draw(far))
                 for frame in sorted(draw(st.sets(st.integers(0, clip.frames - 1), min_size=1, max_size=4))))
    start, stop = draw(st.just((0, None)) | stretches(clip.frames))
    return Region(clip.id, f"{draw(texts)} {number}", draw(st.sampled_from(COVERS)), draw(st.sampled_from(SHAPES)), keys,
                  draw(st.booleans()), start, stop)


@st.composite
def checks(draw: st.DrawFn) -> Check:
    clip = draw(st.sampled_from(CLIPS))
    start, stop = draw(stretches(clip.frames))
    far, size = st.floats(-9999, 9999), st.floats(0.1, 9999)
    place = Key(draw(st.integers(start, stop - 1)), draw(far), draw(far), draw(size), draw(size), draw(far))
    return Check(clip.id, start, stop, draw(words), draw(st.sampled_from(STATES)), draw(words), draw(st.none() | st.just(place)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Two clips, up to four people with faces that may clash, and some of everything else."""
    card = Card(draw(words), Fraction(draw(st.integers(500, 60_000)), 1000), draw(st.sampled_from(["", "en", "ar-SY"])),
                draw(st.sampled_from(DIRECTIONS)), draw(st.sampled_from(STANDS)))
    cast = tuple(draw(people(n)) for n in range(draw(st.integers(0, 4))))
    clips = tuple(replace(clip, ambience=draw(st.none() | ambiences())) for clip in CLIPS)
    ids = [person.id for person in cast]
    return Plan(clips, DOUBLES, cast,
                tuple(Ignored(face, draw(words), draw(texts)) for face in draw(st.lists(track_names(), max_size=2))),
                tuple(draw(regions(n)) for n in range(draw(st.integers(0, 2)))), draw(st.none() | st.just(card)),
                draw(st.none() | words), tuple(draw(st.lists(checks(), max_size=2))), VOICES,
                tuple(draw(st.lists(spoken(ids), max_size=4))), tuple(draw(st.lists(bleeps(), max_size=2))),
                draw(st.none() | ambiences()))
