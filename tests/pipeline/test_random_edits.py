"""Random changes of a plan's text: only the chunks are drawn again in which somebody gets something else."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.errors import UsageError
from facedouble.media.chunks import borders
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.options import EncodeOptions, Options
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.company import PlanCompany
from facedouble.pipeline.hush import rests
from facedouble.pipeline.render import Voice, names, perform_all
from facedouble.plan import edit
from facedouble.plan.people import FACES, HAIR, HIDES, OPEN, Decision, Person, Span, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.values import Key, Region
from facedouble.plan.write import write
from facedouble.types import Double
from tests.pipeline.test_random_plans import crowded, doubles, rehearsed, seen  # noqa: F401  fixtures
from tests.pipeline.two_faces import Seen
from tests.plan.make import CLIPS, DOUBLES, FRAMES, decisions, halos, regions, stretches, track_names
from tests.plan.test_plan import said, slow, widths

OPTIONS = Options(encode=EncodeOptions(chunk_most=10, chunk_least=5))
LAST = FRAMES["A"]
Change = Callable[[str], str]


@pytest.fixture(scope="module")
def made(seen: Seen) -> Analysis:  # noqa: F811
    """With gaps, so that there are several tracks of a person."""
    return seen.analysis((frozenset(range(24, 33)), frozenset()), OPTIONS)


def resolved(plan: Plan, made: Analysis, frame: int) -> list[object]:
    """What everybody gets in a frame and what is laid over it, read off the lists."""
    people = {p.id: p for p in plan.people}
    rest = rests(plan, "A", made.info, made.frames, made.marks)[frame]
    out: list[object] = [plan.watermark]
    for role in made.roles:
        i = frame - role.track.start
        if not 0 <= i < len(role.weights):
            continue
        who = slow(plan, "A", role.track.id, frame)
        got: tuple[object, ...] = ("veil", None, "keep", "")
        if who == {"ignored"}:
            got = ("ignore", None, "keep", "")
        elif len(who) == 1:
            got = _one(people[next(iter(who))], frame, role.weights[i] > 0)
            if got[0] in OPEN and rest > 0 and plan.treatment("A", role.track.id, frame).shown(frame) > 0:
                got = ("veil", None, got[2], "")  # a real face's lips would say what is bleeped
        elif who:
            claims = [people[id_] for id_ in who - {"ignored"}]
            wide = {widths(p, "A", frame) for p in claims} & {"box", "frame"}
            veiled = any(_hair(p, frame) == "veil" for p in claims)
            solid = "frame" if "frame" in wide else "box" if wide else ""
            got = ("hide" if wide else "veil", None, "veil" if veiled else "keep", solid)
        out.append((role.track.id, *got))
    for r in plan.regions:
        if r.clip == "A" and r.start <= frame < r.end:
            at = [k.frame for k in r.keys]
            place = [float(np.interp(frame, at, [getattr(k, name) for k in r.keys])) for name in ("x", "y", "w", "h", "angle")]
            out.append((r.cover, r.shape, *(round(v, 6) for v in place)))
    return out


def _hair(person: Person, frame: int) -> str:
    _, span = said(person, "A", frame)
    return (span.hair if span is not None else None) or person.hair


def _one(person: Person, frame: int, played: bool) -> tuple[object, ...]:
    decision, span = said(person, "A", frame)
    halo = person.halo if span is None or span.halo is None else span.halo
    look = (halo, _hair(person, frame), widths(person, "A", frame))
    if decision.face == "reveal" and span is not None:
        if frame >= span.start + span.dissolve:
            return ("show", *look[:2], "")
        before = [s.decision for s in person.spans if s.clip == "A" and s.stop == span.start]
        begun = before[0] if before else person.decision
        return ("reveal", *look, frame - span.start, span.dissolve, begun.face, *_who(begun, person, played))
    return (decision.face, *look, *_who(decision, person, played))


def _who(decision: Decision, person: Person, played: bool) -> tuple[object, ...]:
    """The double, where one is drawn at all."""
    return {"double": (decision.double,), "mannequin": (person.id,)}.get(decision.face, ()) if played else ()


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Something that a person does to a plan."""
    one, other = draw(st.permutations(["P0", "P1", "P2"]))[:2]
    start, stop = draw(stretches(LAST))
    decision = draw(decisions(tuple(face for face in FACES if face != "reveal")))
    decision = Decision(decision.face, decision.double, "Lin", decision.reason)
    reveal = Decision("reveal", by="Rose", reason="so")
    look = draw(halos), draw(st.none() | st.sampled_from(HAIR)), draw(st.none() | st.sampled_from(HIDES))
    switch = draw(st.sampled_from(["double ana", "double ben"]))
    region, key = draw(regions(7)), Key(draw(st.integers(0, LAST - 1)), *(draw(st.integers(9, 200)) for _ in "xywh"))
    region = Region("A", "sign", region.cover, region.shape, (key,), False, start, draw(st.sampled_from([None, stop])))
    face = str(draw(track_names().filter(lambda f: f.clip == "A")))
    here: list[Change] = [
        lambda t: edit.rename(t, one, f"Kim {start}"), lambda t: edit.decide(t, one, decision, *look),
        lambda t: edit.decide(t, one, Decision.of(switch, "Lin")),
        lambda t: edit.decide_span(t, one, Span("A", start, stop, decision, *look[:2], hide=look[2])),
        lambda t: edit.decide_span(t, one, Span("A", start, stop, reveal, dissolve=stop - start)),
        lambda t: edit.drop_span(t, one, "A", read(t).people[int(one[1])].spans[0].start),
        lambda t: edit.add_region(t, region), lambda t: edit.change_region(t, region), lambda t: edit.drop_region(t, "A", "sign"),
        lambda t: edit.put_card(t, text="For their safety", seconds=Fraction(start + 1)), lambda t: edit.drop(t, "card"),
        lambda t: edit.put_watermark(t, f"Faces {start % 3}"), lambda t: edit.drop(t, "watermark"),
        lambda t: edit.split(t, one, [face])[0], lambda t: edit.merge(t, one, other), lambda t: edit.ignore(t, face, "Lin"),
        lambda t: f"# {start}\n" + t.replace('by = "Lin"', 'by = "Sam"'),
    ]
    return draw(st.sampled_from(here))


def named(text: str, made: Analysis, doubles: dict[str, Double]) -> list[str]:  # noqa: F811
    """The names of the chunks of clip A under a plan."""
    plan = read(text)
    company = PlanCompany(plan, "A", made, rehearsed(plan, made, doubles, 1), OPTIONS)
    return names(made, borders(made.frames, (), OPTIONS.encode), company, OPTIONS, "the clip")


@settings(max_examples=15, deadline=None)
@given(crowded(), st.lists(changes(), min_size=1, max_size=4), st.data())
def test_only_what_is_affected_has_another_name(made: Analysis, doubles: dict[str, Double], plan: Plan,  # noqa: F811
                                                steps: list[Change], data: st.DataObject) -> None:
    texts = [write(plan)]
    for step in steps:
        try:
            texts.append(step(texts[-1]))
        except (UsageError, IndexError):  # what is no plan is refused, and the text stays
            continue
    texts.append(data.draw(st.sampled_from(texts)))  # undo
    spans = borders(made.frames, (), OPTIONS.encode)
    assert len(spans) == 6
    before = None
    for text in texts:
        now = [resolved(read(text), made, k) for k in range(made.frames)], named(text, made, doubles)
        if before is not None:
            for (a, b), was, is_ in zip(spans, before[1], now[1], strict=True):
                assert (was == is_) == (before[0][a:b] == now[0][a:b]), (a, b)
        before = now


def test_chunks_that_are_not_affected_stay_the_same_files(made: Analysis, doubles: dict[str, Double],  # noqa: F811
                                                          tmp_path: Path) -> None:
    """And the film that they make with the new ones is the film that is made from nothing."""
    track = made.roles[0].track.id
    base = write(Plan(CLIPS, DOUBLES))
    base = edit.add(base, Person("P1", "Rose", (TrackName("A", track),), Decision("mannequin", by="Lin")))
    touched = edit.decide_span(base, "P1", Span("A", 22, 28, Decision("hide", by="Lin"), hide="frame"))
    region = Region("A", "sign", "inpaint", "box", (Key(0, 60, 220, 30, 20),), False, 41, 49)
    more = edit.rename(edit.put_card(edit.add_region(touched, region), text="For their safety"), "P1", "Kim")
    made_of: dict[str, list[str]] = {}
    files: dict[str, tuple[int, int]] = {}
    for step, (text, drawn) in enumerate([(base, 6), (touched, 1), (more, 1), (base, 0), (touched, 0)]):
        plan = read(text)
        ready = rehearsed(plan, made, doubles, 1)
        perform_all(made, tmp_path / f"{step}.mp4", lambda p=plan, r=ready: PlanCompany(p, "A", made, r, OPTIONS),  # type: ignore[misc]
                    Voice(), OPTIONS, parts=tmp_path / "parts", context="the clip")
        there = {p.stem: (p.stat().st_ino, p.stat().st_mtime_ns) for p in (tmp_path / "parts").glob("*.chunk")}
        assert {name: there[name] for name in files} == files and len(there) == len(files) + drawn
        files, made_of[text] = there, named(text, made, doubles)
        assert set(made_of[text]) <= set(files)
        if drawn:
            perform_all(made, tmp_path / "fresh.mp4", lambda p=plan, r=ready: PlanCompany(p, "A", made, r, OPTIONS),  # type: ignore[misc]
                        Voice(), OPTIONS)
            fresh, kept = (list(frames(probe(tmp_path / name))) for name in ("fresh.mp4", f"{step}.mp4"))
            assert len(fresh) == len(kept) == made.frames
            assert all(np.array_equal(p, q) for a, b in zip(fresh, kept, strict=True)
                       for p, q in zip(a.planes, b.planes, strict=True))
            (tmp_path / "fresh.mp4").unlink()
    apart = [k for k in range(6) if made_of[base][k] != made_of[touched][k]]
    assert apart == [2] and [k for k in range(6) if made_of[touched][k] != made_of[more][k]] == [4]
    assert (tmp_path / "0.mp4").read_bytes() == (tmp_path / "3.mp4").read_bytes()
    assert (tmp_path / "1.mp4").read_bytes() == (tmp_path / "4.mp4").read_bytes()
