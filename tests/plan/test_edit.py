from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.errors import UsageError
from facedouble.plan import edit
from facedouble.plan.locate import locate
from facedouble.plan.people import Decision, Person, Span, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.values import Check, Clip, DoubleFile, Ignored, Key, Region
from facedouble.plan.write import write
from tests.plan.make import CLIPS, FILM, FRAMES, TRACKS, plans, words

HIDE = Decision("hide", by="Lin")
SHOW = Decision("show", by="Lin", reason="said so")


def names(text: str, number: int = 0) -> list[str]:
    return [str(face) for face in read(text).people[number].faces]


def comments(text: str) -> list[str]:
    return [text[a + 1 : b].strip() for a, b in locate(text).comments]


def changed(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that are only in the one, and only in the other."""
    a, b = old.splitlines(), new.splitlines()
    return [line for line in a if line not in b], [line for line in b if line not in a]


def test_rename() -> None:
    new = edit.rename(FILM, "P1", 'Rosa "R"')
    assert changed(FILM, new) == (['name = "Rose"   # as in the transcript'], ['name = "Rosa \\"R\\""   # as in the transcript'])


def test_decide() -> None:
    new = edit.decide(FILM, "P1", Decision.of("mannequin", "Kim", "safer"), halo=0.5)
    assert changed(FILM, new) == (['face = "double ana"', 'decided_by = "Lin"'],
                                  ['face = "mannequin"', 'decided_by = "Kim"', 'halo = 0.5', 'reason = "safer"'])
    assert read(new).people[0].decision == Decision("mannequin", None, "Kim", "safer")


def test_decide_how_much_is_hidden() -> None:
    new = edit.decide(FILM, "P1", HIDE, hide="frame")
    assert changed(FILM, new) == (['face = "double ana"'], ['face = "hide"', 'hide = "frame"'])
    wide = edit.decide_span(new, "P1", Span("A", 100, 200, HIDE, hide="box"))
    assert changed(new, wide) == ([], ['  hide = "box"', '  decided_by = "Lin"'])
    assert [(a, b, t.solid) for a, b, t in read(wide).spans("A", 0, 0, 500)] == [(0, 100, "frame"), (100, 200, "box"),
                                                                                (200, 500, "frame")]
    with pytest.raises(UsageError, match="ellipse, box, frame"):
        edit.decide(FILM, "P1", HIDE, hide="room")


def test_a_reason_goes_with_its_decision() -> None:
    new = edit.decide(FILM, "P2", Decision("veil", by="Lin"))
    assert changed(FILM, new) == (['face = "show"   # signed on paper', 'decided_by = "Sam"', 'reason = "speaks for the crew"'],
                                  ['face = "veil"   # signed on paper'])
    assert read(new).people[1].decision == Decision("veil", by="Lin")


def test_decide_for_somebody_undecided() -> None:
    new = edit.decide(FILM, "P3", SHOW, hair="keep")
    assert changed(FILM, new) == (['hair = "cap"'], ['hair = "keep"', 'face = "show"', 'reason = "said so"'])
    assert read(new).people[2] == Person("P3", "Person 3", (TrackName("A", 7),), SHOW)


def test_decide_a_span() -> None:
    reveal = Span("B", 30, 300, Decision("reveal", by="Rose", reason="wants it"), dissolve=45)
    new = edit.decide_span(FILM, "P1", reveal)
    assert changed(FILM, new)[0] == []
    assert read(new).people[0].spans[1] == reveal
    assert new.index("wants it") < new.index("# second camera")
    again = edit.decide_span(new, "P1", dataclasses.replace(reveal, decision=HIDE, dissolve=0))
    assert len(read(again).people[0].spans) == 2
    assert read(again).people[0].spans[1] == Span("B", 30, 300, HIDE)
    indented = edit.decide_span(FILM, "P1", Span("A", 100, 200, Decision("veil", by="Lin")))
    assert changed(FILM, indented) == (['  face = "hide"'], ['  face = "veil"', '  decided_by = "Lin"'])


def test_a_span_goes_and_nothing_else() -> None:
    gone = edit.drop_span(FILM, "P1", "A")
    assert read(gone).people[0].spans == () and comments(gone) == comments(FILM)
    assert changed(FILM, gone)[1] == []
    more = edit.decide_span(FILM, "P1", Span("A", 250, 300, HIDE))
    assert edit.drop_span(more, "P1", "A", 250).rstrip("\n") == FILM.rstrip("\n")
    assert read(edit.drop_span(more, "P1", "A", stop=200)).people[0].spans == (Span("A", 250, 300, HIDE),)


def test_a_region_changes_where_it_has_to() -> None:
    logo = read(FILM).regions[0]
    turned = dataclasses.replace(logo, keys=(Key(100, 500.5, 310, 80, 40, 10),), track=True, stop=250)
    new = edit.change_region(FILM, turned)
    assert changed(FILM, new) == (
        ["to = 200", "  { at = 4.0, x = 500.5, y = 300, w = 80, h = 40, angle = 10 },"],
        ['to = "00:00:10.000"', '  { at = "00:00:04.000", x = 500.5, y = 310, w = 80, h = 40, angle = 10 },', "track = true"])
    keys = (Key(50, 1, 2, 3, 4), Key(60, 1, 2, 3, 4), Key(150, 1, 2, 3, 4), Key(180, 5, 6, 7, 8))
    more = edit.change_region(FILM, dataclasses.replace(logo, keys=keys))
    assert changed(FILM, more)[0] == []
    assert read(more).regions[0].keys == tuple(sorted([*keys, *logo.keys], key=lambda k: k.frame))
    line = FILM.replace("""[
  { at = 0, x = 400, y = 300, w = 80, h = 40 },   # from the shoulder
  { at = 4.0, x = 500.5, y = 300, w = 80, h = 40, angle = 10 },
]""", "[{ at = 0, x = 400, y = 300, w = 80, h = 40 }, { at = 4.0, x = 500.5, y = 300, w = 80, h = 40, angle = 10 }]")
    assert line != FILM
    assert read(edit.change_region(line, dataclasses.replace(logo, keys=keys))).regions == read(more).regions
    assert edit.change_region(FILM, logo) == FILM


def test_a_region_goes_and_nothing_else() -> None:
    gone = edit.drop_region(FILM, "A", "logo")
    assert read(gone).regions == () and changed(FILM, gone)[1] == []
    assert set(comments(FILM)) - set(comments(gone)) == {"from the shoulder"}


def test_card_and_watermark_come_change_and_go() -> None:
    new = edit.put_watermark(edit.put_card(FILM, text="For their safety", seconds=Fraction(5)), "Faces changed")
    assert changed(FILM, new) == ([], ["[watermark]", 'text = "Faces changed"', "[card]", 'text = "For their safety"',
                                       "seconds = 5.0"])
    assert new.index("version = 1") < new.index("[watermark]") < new.index("[card]") < new.index("[[clip]]")
    other = edit.put_card(new, on="every", language="en")
    assert changed(new, other) == ([], ['on = "every"', 'language = "en"'])
    card = read(other).card
    assert card is not None and (card.text, card.seconds, card.on) == ("For their safety", Fraction(5), "every")
    assert edit.drop(edit.drop(new, "card"), "watermark") == FILM


def test_merge_keeps_what_was_written() -> None:
    new = edit.merge(FILM, "P1", "P3")
    assert names(new) == ["A:0", "A:1", "B:2@10-90", "A:7"]
    assert [p.id for p in read(new).people] == ["P1", "P2"]
    assert changed(FILM, new) == (
        ['[[person]]   # who is that?', 'id = "P3"', 'name = "Person 3"', 'faces = ["A:7"]', 'hair = "cap"'],
        ['gone = ["P3"]', '  "A:7",', "# P3: who is that?"])
    other = edit.merge(FILM, "P3", "P2")
    assert "# P2: the rescuer\n# P2: signed on paper\n" in other
    assert '\nfaces = ["A:7", "A:5", "B:0"]\n' in other


def test_merge_does_not_name_a_face_twice() -> None:
    text = FILM.replace('["A:7"]', '["A:0", "B:2@50-200", "B:2@5-8"]')
    assert names(edit.merge(text, "P1", "P3")) == ["A:0", "A:1", "B:2@10-90", "B:2@90-200", "B:2@5-8"]


def test_split() -> None:
    new, id = edit.split(FILM, "P1", ["A:0@100-200", "B:2"], "Rose's sister")
    assert id == "P4"
    assert names(new) == ["A:0@0-100", "A:0@200-", "A:1"]
    assert read(new).people[1] == Person("P4", "Rose's sister", (TrackName("A", 0, 100, 200), TrackName("B", 2, 10, 90)))
    assert changed(FILM, new)[0] == ['  "A:0",   # comes in', '  "B:2@10-90",   # in the mirror']
    assert '  "A:0@0-100", "A:0@200-",   # comes in\n  # at night\n  "A:1",\n]' in new
    assert "# in the mirror\n[[person]]" in new
    assert edit.split(FILM, "P2", ["B:0"])[1] == "P4"
    assert 'faces = ["A:5"]' in edit.split(FILM, "P2", ["B:0"])[0]


def test_an_id_is_given_once() -> None:
    """Consents and answers hang on it: whoever gets one that somebody had would never be asked."""
    merged = edit.merge(FILM, "P1", "P3")
    assert read(merged).gone == ("P3",)
    assert edit.split(merged, "P1", ["A:7"])[1] == "P4"
    assert edit.split(merged, "P1", ["A:7"], elsewhere={"P4", "P9"})[1] == "P5"
    twice = edit.merge(edit.split(merged, "P1", ["A:7"])[0], "P1", "P4")
    assert read(twice).gone == ("P3", "P4")
    assert read(write(read(twice))) == read(twice)
    with pytest.raises(UsageError, match="P3 was somebody"):
        edit.add(merged, Person("P3", "a stranger"))


def test_found_faces_join_a_person() -> None:
    assert names(edit.join(FILM, "P1", [TrackName("B", 7)])) == [*names(FILM), "B:7"]
    shown = edit.decide(FILM, "P1", SHOW)
    with pytest.raises(UsageError, match="let through"):
        edit.join(shown, "P1", [TrackName("B", 7)])


def test_ignore() -> None:
    new = edit.ignore(FILM, "B:2@50-90", "Lin", "a poster")
    assert names(new)[-1] == "B:2@10-50"
    assert read(new).ignored == (Ignored(TrackName("B", 2, 50, 90), "Lin", "a poster"),)
    assert read(new).treatment("B", 2, 60).face == "ignore"
    again = edit.ignore(new, "A:7", "Lin")
    assert names(again, 2) == []
    assert again.rindex("[[ignore]]") > again.index("a poster")


@pytest.mark.parametrize(("entry", "where"), [
    (Clip("C", "c.mp4", "c" * 64, 10, Fraction(24)), "clips"), (DoubleFile("ben", "b.fdouble"), "doubles"),
    (Person("P9", "Kim", (TrackName("A", 9),), HIDE, spans=(Span("B", 3, 9, HIDE),)), "people"),
    (Ignored(TrackName("B", 9), "Lin"), "ignored"), (Check("A", 0, 500, "tattoo", "seen", "Lin"), "checks"),
    (Region("B", "sign", "inpaint", "ellipse", (Key(3, 1.5, 2, 3, 4),), True, 3), "regions"),
])
def test_add(entry: edit.Entry, where: str) -> None:
    for text in (FILM, FILM.rstrip("\n"), FILM.replace("# the end\n", ""), FILM.replace("\n", "\r\n")):
        new = edit.add(text, entry)
        assert changed(text, new)[0] == []
        before = read(text)
        assert read(new) == dataclasses.replace(before, **{where: (*getattr(before, where), entry)})  # type: ignore[arg-type]
        assert ("\r" in text) == ("\r" in new)
        assert new.count("\r") in (0, new.count("\n"))


def test_add_to_a_plan_that_says_nothing() -> None:
    text = edit.add_clip("version = 1", CLIPS[0])
    text = edit.add_region(text, Region("A", "sign", "solid", "box", (Key(3, 1, 2, 3, 4),)))
    assert read(text) == Plan(CLIPS[:1], regions=(Region("A", "sign", "solid", "box", (Key(3, 1, 2, 3, 4),)),))
    assert text.startswith("version = 1\n\n[[clip]]\n")


def test_mark() -> None:
    new = edit.mark(FILM, 1, "covered", "Lin")
    assert changed(FILM, new) == ([], ['state = "covered"', 'by = "Lin"'])
    assert read(new).checks[0] == Check("B", 0, 300, "number plate", "covered", "Lin")
    assert edit.mark(new, [1], "open", "") == FILM.replace('what = "number plate"', 'what = "number plate"\nstate = "open"')


def test_several_checks_at_once() -> None:
    more = [Check("A", k, k + 5, f"sign {k}", place=Key(k, 4, 3, 8, 4, 2.5)) for k in range(3)]
    for text in (FILM, "".join(FILM.partition("[[check]]")[0]).rstrip("\n")):
        new = edit.add(text, *more)
        assert read(new).checks == (*read(text).checks, *more) and changed(text, new)[0] == []
        first = len(read(text).checks) + 1
        marked = read(edit.mark(new, range(first, first + 2), "seen", "Lin"))
        assert [c.by for c in marked.checks][first - 1:] == ["Lin", "Lin", ""]


@pytest.mark.parametrize(("change", "says"), [
    (lambda t: edit.rename(t, "P8", "Kim"), 'no person "P8"'), (lambda t: edit.rename(t, "P1", "Sam"), "Sam is there twice"),
    (lambda t: edit.rename(t, "P1", " "), "pseudonym"), (lambda t: edit.decide(t, "P1", Decision("veil")), "say who decided"),
    (lambda t: edit.decide(t, "P1", Decision("double", "ben", "Lin")), 'no double "ben"'),
    (lambda t: edit.decide_span(t, "P1", Span("A", 150, 300, HIDE)), "overlap"),
    (lambda t: edit.decide_span(t, "P1", Span("C", 150, 300, HIDE)), 'no clip "C"'),
    (lambda t: edit.merge(t, "P1", "P1"), "itself"), (lambda t: edit.merge(t, "P2", "P3"), "is let through"),
    (lambda t: edit.merge(t, "P3", "P1"), "spans of its own"), (lambda t: edit.split(t, "P1", ["A:7"]), "has no face"),
    (lambda t: edit.split(t, "P1", ["A:0", "A:1", "B:2"]), "all of the faces"),
    (lambda t: edit.split(t, "P1", []), "none of the faces"),
    (lambda t: edit.split(t, "P1", ["A"]), "is not understood"), (lambda t: edit.ignore(t, "A:7", ""), "looked at it"),
    (lambda t: edit.ignore(t, "C:7", "Lin"), 'no clip "C"'), (lambda t: edit.mark(t, 2, "seen", "Lin"), "no check 2"),
    (lambda t: edit.mark(t, 1, "seen", ""), "add by"), (lambda t: edit.add_clip(t, CLIPS[0]), "clip A is there twice"),
    (lambda t: edit.rename(t, "P1", "\udc80"), "not text"),
    (lambda t: edit.drop_span(t, "P1", "B"), "no such span in clip B"), (lambda t: edit.drop_span(t, "P1", "C"), 'no clip "C"'),
    (lambda t: edit.drop_span(t, "P1", "A", 101), "100 to 200"), (lambda t: edit.drop_region(t, "A", "logi"), 'mean "logo"'),
    (lambda t: edit.drop_span(edit.decide_span(t, "P1", Span("A", 250, 300, HIDE)), "P1", "A"), "has 2 spans"),
    (lambda t: edit.drop_region(t, "B", "logo"), "none yet"), (lambda t: edit.drop(t, "card"), "has no card"),
    (lambda t: edit.put_card(t), "what changes"), (lambda t: edit.put_card(t, on="every"), "says nothing"),
    (lambda t: edit.put_card(t, text="a", on="last"), "first, every"), (lambda t: edit.put_watermark(t, " "), "says nothing"),
    (lambda t: edit.put_card(t.replace("version = 1", 'version = 1\ncard = { text = "a" }'), text="b"), "under [card]"),
    (lambda t: edit.rename("version = 1\n" + 'person = [{ id = "P1", name = "Rose" }]', "P1", "Kim"), "[[person]]"),
])
def test_what_cannot_be_changed(change: Callable[[str], str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        change(FILM)
    assert says in str(caught.value)
    assert ". " not in str(caught.value)


def let_through(plan: Plan) -> dict[tuple[str, int, int], str]:
    """Every face in every frame in which it is not covered, and by whom that was decided."""
    return {(clip, track, frame): plan.treatment(clip, track, frame).by for clip, frames in FRAMES.items()
            for track in range(TRACKS) for frame in range(frames) if plan.treatment(clip, track, frame).shown(frame)}


@settings(max_examples=60, deadline=None)
@given(plans(), st.data())
def test_no_change_of_lists_lets_more_through(plan: Plan, data: st.DataObject) -> None:
    text = write(plan)
    ids = [p.id for p in plan.people] or ["P0"]
    one, other = data.draw(st.sampled_from(ids)), data.draw(st.sampled_from(ids))
    face = f"{data.draw(st.sampled_from('AB'))}:{data.draw(st.integers(0, TRACKS - 1))}@{data.draw(st.integers(0, 9))}-20"
    change: Callable[[], str] = data.draw(st.sampled_from([
        lambda: edit.merge(text, one, other), lambda: edit.split(text, one, [face])[0], lambda: edit.rename(text, one, "another"),
        lambda: edit.decide(text, one, HIDE), lambda: edit.add(text, Person("P9", "another", (TrackName("A", 0),), SHOW)),
    ]))
    try:
        new = change()
    except UsageError as error:
        assert read(text) == plan
        assert "overlap" not in str(error)
        return
    before, after = let_through(plan), let_through(read(new))
    for key in after.keys() - before.keys():  # what two people claimed comes out as was decided for the one that is left
        assert len(claimed(plan, *key)) > 1 or "P9" in new
    assert set(comments(text)) <= set(comments(new))


def claimed(plan: Plan, clip: str, track: int, frame: int) -> set[str]:
    return {p.id for p in plan.people for f in p.faces if (f.clip, f.track) == (clip, track) and f.start <= frame < f.end}


@settings(max_examples=30, deadline=None)
@given(plans(), words)
def test_random_plans_can_be_changed(plan: Plan, name: str) -> None:
    text = write(plan)
    for person in plan.people:
        assert read(edit.decide(text, person.id, HIDE)).people[int(person.id[1:])].decision == HIDE
    new = edit.ignore(text, "A:0@3-9", "Lin")
    assert {read(new).treatment("A", 0, f).face for f in range(3, 9)} == {"ignore"}
    region = Region("A", f"{name} new", "solid", "box", (Key(3, 1, 2, 3, 4),))
    assert read(edit.add_region(text, region)).regions[-1] == region
