from __future__ import annotations

import tomllib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.errors import UsageError
from facedouble.plan.locate import locate
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.times import frame, timecode
from facedouble.plan.write import write
from tests.plan.make import FILM, plans

CLIP = 'version = 1\n[[clip]]\nid = "A"\nfile = "a"\nsha256 = "' + "a" * 64 + '"\nframes = 100\nrate = 25\n'  # 7 lines
ROSE = CLIP + '[[person]]\nid = "P1"\nname = "Rose"\nfaces = ["A:0"]\n'  # 11
SPAN = ROSE + '[[person.span]]\nclip = "A"\n'  # 13
OPEN = 'face = "show"\nreason = "so"\ndecided_by = "S"\n'  # 3
REVEAL = OPEN.replace("show", "reveal")
KEY = "{ at = 5, x = 4, y = 3, w = 8, h = 4 }"
TURN = CLIP + '[[turn]]\nclip = "A"\n'  # 9
CHECK = CLIP + '[[check]]\nclip = "A"\nwhat = "plate"\n'  # 10
REGION = CLIP + '[[region]]\nclip = "A"\nname = "logo"\ncover = "solid"\n'  # 11

BAD = {
    "a bracket is open": ('version = 1\n[[clip\n', 2, "quote and bracket"),
    "a quote is open": ('version = 1\n\nx = "a\n', 3, "quote and bracket"),
    "a text without quotes": ('version = one', 1, "quotes"),
    "a key twice": (ROSE + 'name = "Sam"\n', 12, "delete one"),
    "a table twice": ('version = 1\n[card]\ntext = "a"\n[card]\ntext = "b"', 4, "delete one"),
    "a list without an end": ('version = 1\nclip = [\n\n', 4, "bracket"),
    "too deep": ("x = " + "[" * 20000, 1, "lists in lists"),
    "too long a number": ("version = " + "9" * 5000, 1, "thousands of digits"),
    "no version": ('[card]\ntext = "a"', 1, "add version = 1"),
    "another version": ("\nversion = 2", 2, "update"),
    "an unknown key": (ROSE + 'facce = "veil"\n', 12, 'did you mean "face'),
    "an unknown table": (CLIP + '\n[[persons]]\nid = "P1"', 9, 'did you mean "person"'),
    "a span of nobody": (CLIP + '[[span]]\nclip = "A"', 8, 'did you mean "person.span"'),
    "a span before its person": (CLIP + '[[person.span]]\nclip = "A"', 8, "[[person]]"),
    "single brackets": ('version = 1\n[clip]\nid = "A"', 2, "[[clip]]"),
    "double brackets": ('version = 1\n[[card]]\ntext = "A"', 2, "[card]"),
    "a voice that is none": (ROSE + 'voice = "loud"', 12, "mute, keep, double, revoice"),
    "a voice of nobody": (ROSE + 'voice = "double ana"', 12, "add it first"),
    "a voice misspelt": (ROSE + 'voice = "double nor"\n[[voice]]\nname = "noor"\nfile = "n"', 12, 'did you mean "noor"'),
    "a voice without its name": (ROSE + 'voice = "double"', 12, "double NAME"),
    "a take without its file": (ROSE + 'voice = "revoice"', 12, "revoice FILE"),
    "a mute with a name": (ROSE + 'voice = "mute noor"', 12, 'write voice = "mute"'),
    "two voices": (CLIP + 2 * '[[voice]]\nname = "noor"\nfile = "n"\n', 12, "voice noor is there twice"),
    "a voice without a file": (CLIP + '[[voice]]\nname = "noor"', 8, "has no file"),
    "a turn without an end": (CLIP + '[[turn]]\nclip = "A"\nfrom = 1.0', 8, "add to"),
    "a turn that ends first": (TURN + "from = 2.0\nto = 1.5", 11, "after from"),
    "a turn of no length": (TURN + "from = 2.0\nto = 2.0003", 11, "after from"),
    "a turn after the end": (TURN + "from = 4.0\nto = 5.0", 10, "after the end of clip A"),
    "a turn of nobody": (TURN + 'from = 1.0\nto = 2.0\nperson = "P2"', 12, 'no person "P2"'),
    "a turn kept without a reason": (TURN + 'from = 1.0\nto = 2.0\nvoice = "keep"\nby = "Lin"', 12, "reason"),
    "a turn decided by halves": (TURN + 'from = 1.0\nto = 2.0\nby = "Lin"', 12, "voice of its own"),
    "a turn in a voice that is none": (TURN + 'from = 1.0\nto = 2.0\nvoice = "double noor"', 12, 'no voice "noor"'),
    "flags that are none": (TURN + 'from = 1.0\nto = 2.0\nflags = [3]', 12, "a list such as"),
    "a moment that is none": (TURN + 'from = "noon"\nto = 2.0', 10, "timecode"),
    "a bleep nowhere": (CLIP + "[[bleep]]\nfrom = 1.0\nto = 2.0", 8, 'add clip = "A"'),
    "a bleep that barks": (CLIP + '[[bleep]]\nclip = "A"\nfrom = 1.0\nto = 2.0\nsound = "dog"', 12, "tone, silence"),
    "a bleep backwards": (CLIP + '[[bleep]]\nclip = "A"\nfrom = 1.0\nto = 0.5', 11, "after from"),
    "an ambience that is none": ('version = 1\nambience = "old"', 2, "new, clean, keep"),
    "an ambience kept by nobody": ('version = 1\nambience = "keep"\nambience_reason = "so"', 2, "add ambience_by"),
    "an ambience kept for nothing": (CLIP + 'ambience = "keep"\nambience_by = "so"', 8, "add ambience_reason"),
    "a reason for no ambience": ('version = 1\nambience_reason = "so"', 2, "goes with ambience"),
    "a number as a text": (CLIP.replace("100", '"100"'), 6, "whole number"),
    "half a frame": (CLIP.replace("100", "100.5"), 6, "whole number"),
    "a yes as a number": (CLIP.replace("100", "true"), 6, "whole number"),
    "a text as a number": (ROSE + 'halo = "much"', 12, "number without quotes"),
    "no number": (ROSE + "halo = nan", 12, "number"),
    "too much halo": (ROSE + "halo = 2", 12, "0.0 to 1.0"),
    "a face alone": (ROSE.replace('["A:0"]', '"A:0"'), 11, 'a list such as ["A:0"'),
    "a face as a number": (ROSE.replace('["A:0"]', '["A:1",\n0]'), 11, "without 0"),
    "a face not understood": (ROSE.replace('["A:0"]', '["A:1",\n"A-0"]'), 12, 'as in "A:3"'),
    "a face that ends first": (ROSE.replace("A:0", "A:0@9-3"), 11, "ends before it begins"),
    "a face after the end": (ROSE.replace("A:0", "A:0@9-300"), 11, "has 100"),
    "a face of no clip": (ROSE.replace('["A:0"]', '[\n"A:1",\n"B:0"]'), 13, 'there is no clip "B": take A'),
    "a clip without a rate": (CLIP.replace("rate = 25\n", ""), 2, "add rate = 25"),
    "a rate that is none": (CLIP.replace("= 25", '= "fast"'), 7, "30000/1001"),
    "a rate by nothing": (CLIP.replace("= 25", '= "25/0"'), 7, "30000/1001"),
    "no digest": (CLIP.replace("aaaa", "A"), 5, "64 hex digits"),
    "no frames": (CLIP.replace("100", "0"), 6, "at least one frame"),
    "two clips": (CLIP + CLIP.removeprefix("version = 1\n"), 9, "clip A is there twice"),
    "an id of two words": (ROSE.replace("P1", "P 1"), 9, "one word"),
    "no pseudonym": (ROSE.replace('name = "Rose"\n', ""), 8, "pseudonym"),
    "an empty pseudonym": (ROSE.replace("Rose", " "), 10, "pseudonym"),
    "two people": (ROSE + '[[person]]\nname = "Sam"\nid = "P1"', 14, "P1 is there twice"),
    "two alike": (ROSE + '[[person]]\nname = "Rose"\nid = "P2"', 13, "Rose is there twice"),
    "two doubles": (CLIP + 2 * '[[double]]\nname = "ana"\nfile = "a"\n', 12, "double ana is there twice"),
    "no such double": (ROSE + 'face = "double anna"\n[[double]]\nname = "ana"\nfile = "a"', 12, 'did you mean "ana"'),
    "no double at all": (ROSE + 'face = "double anna"\n', 12, "add it first"),
    "a double without a name": (ROSE + 'face = "double"\n', 12, 'double NAME'),
    "a veil with a name": (ROSE + 'face = "veil ana"\n', 12, 'write face = "veil"'),
    "a treatment that is none": (ROSE + 'face = "blur"\n', 12, "double, mannequin, veil, hide, show, reveal"),
    "ignored as a treatment": (ROSE + 'face = "ignore"\n', 12, "is not known"),
    "a show without a reason": (ROSE + 'decided_by = "Sam"\nface = "show"\n', 13, "add reason"),
    "a show by nobody": (ROSE + 'face = "show"\nreason = "so"', 12, "add decided_by"),
    "a show for blanks": (ROSE + 'face = "show"\nreason = "  "\ndecided_by = "Sam"', 12, "add reason"),
    "a reveal of all": (ROSE + 'face = "reveal"\nreason = "so"\ndecided_by = "Sam"', 12, "[[person.span]]"),
    "a voice without a reason": (ROSE + 'voice = "keep"\ndecided_by = "Sam"', 12, "voice_reason"),
    "a voice by nobody": (ROSE + 'voice = "keep"\nvoice_reason = "Sam"', 12, "decided_by"),
    "a wig": (ROSE + 'hair = "wig"', 12, "keep, veil, cap"),
    "a cover that is none": (ROSE + 'hide = "square"', 12, "ellipse, box, frame"),
    "a cover in a span that is none": (SPAN + 'face = "hide"\nhide = "boxx"', 15, 'did you mean "box"'),
    "a span of nothing": (SPAN, 12, 'add face = "veil"'),
    "a span nowhere": (ROSE + '[[person.span]]\nface = "veil"', 12, 'add clip = "A"'),
    "a span in no clip": (ROSE + '[[person.span]]\nface = "veil"\nclip = "C"', 14, 'no clip "C"'),
    "a span that ends first": (SPAN + 'face = "veil"\nfrom = 20\nto = 10', 16, "after from"),
    "a span without frames": (SPAN + 'face = "veil"\nfrom = 20\nto = 20', 16, "after from"),
    "a span before the clip": (SPAN + 'face = "veil"\nfrom = -1\nto = 10', 16, "after from"),
    "a span after the clip": (SPAN + 'face = "veil"\nfrom = 1\nto = 101', 12, "which has 100"),
    "a time that is none": (SPAN + 'face = "veil"\nfrom = "noon"', 15, "timecode"),
    "a time with frames": (SPAN + 'face = "veil"\nfrom = "00:00:01:12"', 15, "timecode"),
    "frames or seconds": (SPAN + 'face = "veil"\nfrom = "12"', 15, "frame as 120"),
    "endless time": (SPAN + 'face = "veil"\nfrom = 1e999999999', 15, "timecode"),
    "a show in a span without a reason": (SPAN + 'face = "show"\ndecided_by = "Sam"', 14, "add reason"),
    "a reason of the person only": (
        ROSE + 'decided_by = "Sam"\nreason = "so"\n[[person.span]]\nclip = "A"\nface = "show"', 16, "add reason"),
    "a reveal at once": (SPAN + 'face = "reveal"\nreason = "so"\ndecided_by = "Sam"', 12, "add seconds"),
    "a reveal of no length": (SPAN + 'face = "reveal"\nreason = "so"\ndecided_by = "Sam"\nseconds = 0', 17, "add seconds"),
    "a reveal that is too long": (SPAN + "to = 20\n" + REVEAL + "seconds = 1", 18, "within"),
    "a dissolve without a reveal": (SPAN + 'face = "hide"\nseconds = 1', 15, "delete it"),
    "a reveal of who is shown": (ROSE + OPEN + '[[person.span]]\nclip = "A"\n' + REVEAL + "seconds = 1", 17, "shown already"),
    "two spans at once": (SPAN + 'face = "veil"\nfrom = 10\n[[person.span]]\nclip = "A"\nface = "hide"\nto = 11', 16, "overlap"),
    "ignored by nobody": (CLIP + '[[ignore]]\nface = "A:3"', 8, "looked_at_by"),
    "ignored nowhere": (CLIP + '[[ignore]]\nface = "C:3"\nlooked_at_by = "Sam"', 9, 'no clip "C"'),
    "nothing ignored": (CLIP + '[[ignore]]\nlooked_at_by = "Sam"', 8, 'add face = "A:3"'),
    "a region of mosaic": (REGION.replace("solid", "mosaic") + "keys = [{ at = 0, x = 4, y = 3, w = 8, h = 4 }]", 11, "solid"),
    "a region nowhere": (REGION, 8, "add keys"),
    "a region without keys": (REGION + "keys = []", 12, "is nowhere"),
    "a key without a height": (REGION + "keys = [\n{ at = 0, x = 4, y = 3, w = 8 }]", 13, "add h"),
    "a key without a width": (REGION + "keys = [\n{ at = 0, x = 4, y = 3, w = 0, h = 4 }]", 13, "over 0"),
    "a key of more": (REGION + "keys = [\n{ at = 0, x = 4, y = 3, w = 9, h = 4, z = 3 }]", 13, "unknown key"),
    "a key that is none": (REGION + "keys = [3]", 12, "write each as"),
    "keys out of order": (REGION + f"keys = [{KEY},\n{KEY}]", 13, "order"),
    "a key after the end": (REGION + "keys = [\n{ at = 100, x = 4, y = 3, w = 8, h = 4 }]", 13, "which has 100"),
    "a key without a number": (REGION + 'keys = [{ at = 0, x = "4", y = 3, w = 8, h = 4 }]', 12, "without quotes"),
    "perhaps": (REGION + 'track = 1\nkeys = [{ at = 0, x = 4, y = 3, w = 8, h = 4 }]', 12, "true or false"),
    "an empty card": ('version = 1\n[card]\ntext = " "', 3, "delete [card]"),
    "a long card": ('version = 1\n[card]\ntext = "a"\nseconds = 100', 4, "0.5 to 60"),
    "a card upside down": ('version = 1\n[card]\ntext = "a"\ndirection = "up"', 4, "auto, ltr, rtl"),
    "a card in Martian": ('version = 1\n[card]\ntext = "a"\nlanguage = "?"', 4, "ar-SY"),
    "an empty watermark": ('version = 1\n[watermark]\ntext = ""', 3, "delete [watermark]"),
    "a check by nobody": (CHECK + 'state = "seen"', 11, "add by"),
    "a check that is half done": (CHECK + 'state = "later"', 11, "open, seen, covered, accepted"),
    "a check of nothing": (CLIP + '[[check]]\nclip = "A"', 8, "add what"),
    "a check of a novel": (CHECK.replace("plate", "x" * 301), 10, "say it shorter"),
    "a check without a place": (CHECK + "place = 3", 11, "has to be written as"),
    "a check half placed": (CHECK + "place = { at = 0, x = 4, y = 3, w = 8 }", 11, "add h"),
    "a check placed by hand": (CHECK + "place = { at = 0, x = 4, y = 3, w = 8, h = 4, z = 1 }", 11, "unknown key"),
    "a check placed too late": (CHECK + "to = 10\nplace = { at = 10, x = 4, y = 3, w = 8, h = 4 }", 12, "correct its at"),
    "a check far outside": (CHECK + "place = { at = 0, x = 4, y = 3, w = 8000000, h = 4 }", 11, "far outside"),
    "a check placed nowhere": (CHECK + "place = { at = 0, x = nan, y = 3, w = 8, h = 4 }", 11, "number"),
    "a bell": (ROSE + 'face = "\\u0007\\u001b[2J"', 12, "double"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_error_is_one_sentence_with_its_line(name: str) -> None:
    text, line, says = BAD[name]
    for mine in (text, text.replace("\n", "\r\n")):
        with pytest.raises(UsageError) as caught:
            read(mine)
        told = str(caught.value)
        assert told.startswith(f"line {line}: "), told
        assert says in told
        assert told.isprintable()
        assert ". " not in told
        assert len(told) < 220


def test_a_film_by_hand() -> None:
    plan = read(FILM)
    assert [(a, b, t.face, t.halo) for a, b, t in plan.spans("A", 0, 0, 500)] == [
        (0, 100, "double", None), (100, 200, "hide", 0.25), (200, 500, "double", None)]
    assert [(a, b, t.face) for a, b, t in plan.spans("B", 2, 0, 300)] == [(0, 10, "veil"), (10, 90, "double"), (90, 300, "veil")]
    assert plan.treatment("B", 0, 7).by == "Sam"
    assert (plan.treatment("A", 7, 0).face, plan.treatment("A", 7, 0).hair) == ("veil", "cap")
    assert [(k.frame, k.x, k.angle) for k in plan.regions[0].keys] == [(0, 400.0, 0.0), (100, 500.5, 10.0)]
    assert plan.clips[1].rate == Fraction(30000, 1001)
    assert (plan.checks[0].state, plan.people[0].voice) == ("open", "mute")
    assert read("\ufeff" + FILM) == read(FILM.replace("\n", "\r\n")) == plan


def test_a_plan_that_says_nothing() -> None:
    assert read("version = 1") == Plan()


@settings(max_examples=80, deadline=None)
@given(plans())
def test_what_is_written_is_read(plan: Plan) -> None:
    assert read(write(plan)) == plan


@pytest.mark.parametrize(("said", "expected"), [
    ("30", 30), ("1.0", 25), ("1", 1), ('"1.0"', 25), ('"1s"', 25), ('"1.5 s"', 38), ('"00:00:02.000"', 50), ('"00:02"', 50),
    ("00:00:02.5", 62), ('"1:00:00"', 90_000), ('"00:00:00.039"', 1), ("0.02", 0), ("0.021", 1),
])
def test_times(said: str, expected: int) -> None:
    text = CHECK.replace("frames = 100", "frames = 100_000") + f"to = 100_000\nfrom = {said}"
    assert read(text).checks[0].start == expected


@given(st.integers(0, 10**7), st.fractions(Fraction(1, 10), Fraction(480), max_denominator=1001))
def test_a_timecode_leads_back_to_its_frame(number: int, rate: Fraction) -> None:
    code = timecode(number, rate)
    if len(code) == 12:  # under a hundred hours
        assert frame(code, rate) == number


LISTS = """\
a = 1 # x = 2
'q w'."e" = [ # [no]
  "x,]", ''' # y
''', [1, 2], { k = "}", 'l' = [3] }, ]
[[p]]
t = \"\"\"
[[no]]
\\\"\"\" \"\"\"\"
d = 1979-05-27 07:32:00 # day
[[p.s]]
[p.s.u]
z = 1
[[p]]
[[ p . s ]]
z = -inf
[[p.s]]
z = 2
"""


def test_places() -> None:
    places = locate(LISTS)
    lines = {path: places.line(path) for path in places.at}
    assert lines == {
        ("a",): 1, ("q w",): 2, ("q w", "e"): 2, ("q w", "e", 0): 3, ("q w", "e", 1): 3, ("q w", "e", 2): 4,
        ("q w", "e", 2, 0): 4,
        ("q w", "e", 2, 1): 4, ("q w", "e", 3): 4, ("q w", "e", 3, "k"): 4, ("q w", "e", 3, "l"): 4,
        ("q w", "e", 3, "l", 0): 4,
        ("p",): 5, ("p", 0): 5, ("p", 0, "t"): 6, ("p", 0, "d"): 9, ("p", 0, "s"): 10, ("p", 0, "s", 0): 10,
        ("p", 0, "s", 0, "u"): 11, ("p", 0, "s", 0, "u", "z"): 12, ("p", 1): 13, ("p", 1, "s"): 14, ("p", 1, "s", 0): 14,
        ("p", 1, "s", 0, "z"): 15, ("p", 1, "s", 1): 16, ("p", 1, "s", 1, "z"): 17}
    assert [LISTS[a:b] for a, b in places.comments] == ["# x = 2", "# [no]", "# day"]
    place = places.at["q w", "e", 1]
    assert LISTS[place.value : place.stop] == "''' # y\n'''"
    assert places.line(("p", 1, "s", 1, "w", 3)) == 16


@settings(max_examples=40, deadline=None)
@given(plans())
def test_everything_that_tomllib_sees_has_a_place(plan: Plan) -> None:
    text = write(plan)
    places = locate(text)

    def walk(held: object, path: tuple[str | int, ...]) -> None:
        assert not path or path in places.at
        if isinstance(held, dict | list):
            for key, value in held.items() if isinstance(held, dict) else enumerate(held):
                walk(value, (*path, key))
        elif path:
            place = places.at[path]
            assert tomllib.loads(f"v = {text[place.value : place.stop]}")["v"] == held
    walk(tomllib.loads(text), ())


JUNK = ["[", "]", "[[", '"', "'", '"""', "#", "\n", "=", ",", "{", "}", ".", "nan", "1e9", "-1", "\\", "true", "person",
        "\x00", "é",
        "1979-05-27", "00:00:01", " ", "[[person.span]]\n", "\r"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(FILM)), st.integers(0, 12), st.sampled_from(JUNK)), min_size=1, max_size=3))
def test_a_spoilt_plan_is_read_or_refused(cuts: list[tuple[int, int, str]]) -> None:
    text = FILM
    for at, length, junk in cuts:
        text = text[:at] + junk + text[at + length :]
    try:
        read(text)
    except UsageError as error:
        assert str(error).startswith("line ")
