from __future__ import annotations

import base64
import itertools
import re
import shlex
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.main import get_command

from facedouble.audit.covers import NAME as COVERED
from facedouble.audit.remains import ALWAYS, remains
from facedouble.audit.verdict import Audit, Check, Finding, Look
from facedouble.cli.main import app
from facedouble.media.again import picked
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.pipeline.audit.about import About, covered
from facedouble.pipeline.audit.looks import looks, wanted
from facedouble.pipeline.audit.moments import moments
from facedouble.pipeline.audit.page import page, verdict
from facedouble.pipeline.audit.page_parts import counted, number, prose, said, strip
from facedouble.pipeline.audit.page_style import DARK, LIGHT
from facedouble.pipeline.audit.pictures import BRIGHT, Pictures, marked, pictures
from facedouble.pipeline.audit.sample import WORN
from facedouble.pipeline.audit.steps import again, problems
from facedouble.plan.read import read
from facedouble.types import Box, Bytes
from tests.audit.examples import ABOUT, ALIKE, BARE, FACE, FOUND, FRAMES, KNOWN, MIRROR, OPEN, PARROT, PASSED, SEEN
from tests.media.make import clip
from tests.plan.test_read import ROSE

NASTY = '<script>alert(1)</script>"\'><img src=http://evil.example/x onerror=a>\u202egpj.`x`\x00'


class Seen(HTMLParser):
    """Every tag with its attributes, and the text of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "path", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += f"{data.strip()}\n" if data.strip() else ""


def first(audit: Audit, about: About = ABOUT) -> str:
    """The text of the first screen: up to the strip."""
    return Seen(page(audit, {}, about)).text.partition("Where in the film")[0]


def ramp(height: int, width: int) -> Bytes:
    return np.full((height, width, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """180 frames with key frames 30 apart, so that there is something to seek past."""
    return clip(tmp_path_factory.mktemp("film") / "safe.mp4", 96, 64, 180, options={"g": "30", "bf": "2"})


def test_the_verdict_is_said_first() -> None:
    for audit, words, next_ in ((PASSED, "Nothing was found", "Watch all of it"), (FOUND, "Do not publish this file", "Veil P1"),
                                (OPEN, "Not finished: do not publish this file yet", "facedouble models install")):
        said_ = first(audit)
        title, heading, rest = said_.split("\n", 2)
        assert title == f"{words}: safe.mp4" and heading == words and next_ in rest
    assert "4 things were found" in first(FOUND) and "1 check could not run" in first(OPEN)
    assert "does not mean that nobody can recognise" in first(PASSED)
    one = replace(FOUND, checks=(replace(SEEN, findings=(KNOWN,)),))
    assert "1 thing was found" in first(one)


def test_what_is_found_outweighs_what_is_missing() -> None:
    both = replace(FOUND, checks=(*FOUND.checks, replace(SEEN, missing="no model")))
    assert verdict(both) == "found" and "and 1 check could not run" in " ".join(first(both).split())
    assert verdict(replace(PASSED, checks=())) == "open"
    assert "No check was run" in first(replace(PASSED, checks=())) and first(replace(PASSED, checks=())).count("not tried") == 4


def test_the_first_screen_says_what_is_safe_and_what_is_not() -> None:
    told = re.findall(r"(The picture|Attackers who have this tool|The sound|The file)\n(.*)\n", first(FOUND))
    assert told == [("The picture", "2 found"), ("Attackers who have this tool", "The way the face moves."),
                    ("The sound", "1 found"), ("The file", "1 found")]
    assert "nothing found, but 1 of 3 could not run" in first(OPEN) and "nothing found, 1 of 2 not tried" in first(OPEN)
    more = replace(SEEN, group="attacked"), replace(ALIKE, group="attacked", name="the double that was decided on")
    lost = replace(PASSED, checks=tuple(replace(c, missing="no gallery", needed=False) if c.group == "attacked" else c
                                        for c in (*PASSED.checks, *more)))
    assert "not tried: no gallery" in first(lost)
    part = replace(lost, checks=(*lost.checks[:-1], replace(lost.checks[-1], missing="")))
    assert "nothing found, 3 of 4 not tried" in first(part) and page(part, {}, ABOUT).count('<li class="left">') == 1
    assert any(line.startswith("Somebody who has this tool") for line in remains(part.checks))
    for topic in ("Hair, ears, neck", "Gait", "What only a person notices", "Names that are spoken"):
        assert topic in first(PASSED)


def test_names_stay_words() -> None:
    """Whatever comes from outside is text: no tag, no attribute, no code and no hidden turn of direction comes of it."""
    finding = Finding(NASTY, (3, 4), box=FACE, score=float("nan"), limit=1.0, person=NASTY)
    check = Check(NASTY, "seen", NASTY, 1, NASTY, (finding,), {NASTY: NASTY, "inf": float("inf")}, (Look(9, None, NASTY),))
    lost = Check(NASTY, "container", NASTY, missing=NASTY)
    audit = Audit(NASTY, 1, FRAMES, (check, lost), {NASTY: {NASTY: [NASTY]}}, (NASTY, f"{NASTY}: {NASTY}"))
    held = page(audit, {(3, FACE): b"\xff", (9, None): b"\xff"}, About(NASTY, Fraction(25), clip=NASTY, plan=NASTY))
    plain = page(FOUND, {(3, FACE): b"\xff", (9, None): b"\xff"}, ABOUT)
    seen, usual = Seen(held), Seen(plain)
    assert {tag for tag, _ in seen.tags} <= {tag for tag, _ in usual.tags} | {"figure", "figcaption", "img"}
    assert not [a for _, attrs in seen.tags for a in attrs if a.startswith("on") or a == "style"]
    assert "\u202e" not in held and "\x00" not in held and "<script" not in held
    for tag, attrs in seen.tags:
        for name in ("src", "href"):
            assert (attrs.get(name) or "#").startswith(("#", "data:image/jpeg;base64,")), (tag, attrs)


@pytest.mark.parametrize("audit", [PASSED, FOUND, OPEN], ids=["passed", "found", "open"])
def test_nothing_is_asked_of_the_network(audit: Audit) -> None:
    held = page(audit, {(31, MIRROR): b"\xff\xd8"}, ABOUT)
    seen = Seen(held)
    assert not re.search(r"https?:|//|url\(|@import|<script|<link|<iframe|<object", held.replace("data:image/jpeg;base64,//", ""))
    policy = next(a["content"] or "" for _, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-") and "unsafe" not in policy
    ids = [a["id"] for _, a in seen.tags if "id" in a]
    assert len(ids) == len(set(ids)) and {a["href"][1:] for t, a in seen.tags if t == "a" and a["href"]} <= set(ids)
    headings = [int(t[1]) for t, _ in seen.tags if re.fullmatch("h[1-6]", t)]
    assert headings[0] == 1 and headings.count(1) == 1 and all(b - a <= 1 for a, b in itertools.pairwise(headings))
    assert all(a.get("alt") for t, a in seen.tags if t == "img")


def test_the_same_audit_gives_the_same_page() -> None:
    shown: Pictures = {(31, MIRROR): b"a", (57, FACE): b"b"}
    turned = replace(FOUND, facts=dict(list(FOUND.facts.items())[::-1]))
    assert page(FOUND, shown, ABOUT) == page(turned, dict(list(shown.items())[::-1]), ABOUT)


def test_only_pictures_of_this_audit_are_shown() -> None:
    """A picture that no check speaks of, the footage's say, has no place on the page."""
    html = page(FOUND, {(31, MIRROR): b"mirror", (57, FACE): b"known", (5, None): b"stranger"}, ABOUT)
    held = [base64.b64decode(part) for part in re.findall(r"base64,([^\"]+)", html)]
    assert set(held) == {b"mirror", b"known"} and held.count(b"mirror") == 2  # on the first screen, and with its check
    assert "The finished film at 00:00:01.240, frame 31, the place is framed: a face in the picture" in html


def test_a_long_list_keeps_the_page_small() -> None:
    many = tuple(Finding(f"face {n}" + "x" * 1000, (20 * n, 20 * n + 1), box=FACE, person=f"P{n}") for n in range(3000))
    facts = {f"fact {n}": "y" * 5000 for n in range(3000)}
    audit = replace(FOUND, frames=60_000, checks=(replace(SEEN, findings=many),) * 4, facts=facts)
    shown: Pictures = {(20 * n, FACE): b"z" * 66_000 for n in range(24)}
    held = page(audit, shown, ABOUT)
    assert len(held) < 3_000_000
    assert "And 2,980 more" in held and "2,994 more" in held and "3,000 things were" in held and "in the .audit.json" in held


def test_marks_stand_where_things_are() -> None:
    drawn = strip(FOUND, ABOUT)
    marks = re.findall(r'<a href="#check-(\d+)"><rect class="found" x="([\d.]+)" width="([\d.]+)"', drawn)
    assert marks == [("1", "413.3", "13.3"), ("2", "666.7", "173.3"), ("6", "400.0", "66.7")]  # of 1000 for 3 s
    assert 'aria-label="Picture: 2 places found"' in drawn and 'aria-label="Sound: 1 place found"' in drawn
    assert "Picture: nothing found at any time" in strip(PASSED, ABOUT) and "Covered again" not in drawn
    again = strip(PASSED, replace(ABOUT, covered=((0, 15), (74, 75))))
    assert re.findall(r'class="again" x="([\d.]+)" width="([\d.]+)"', again) == [("0.0", "200.0"), ("986.7", "13.3")]
    ends = Finding("short", (70, 71)), Finding("beyond the end", (9_990, 99_000))
    wild = replace(FOUND, checks=(replace(SEEN, findings=ends),), frames=10_000)
    places = re.findall(r'x="([\d.]+)" width="([\d.]+)"', strip(wild, ABOUT))
    assert all(float(x) + float(w) <= 1000 for x, w in places) and float(places[-1][1]) >= 6
    often = tuple(Finding("f", (n, n + 1)) for n in range(0, 90_000, 3))
    many = replace(FOUND, checks=(replace(SEEN, findings=often),), frames=90_000)
    assert strip(many, ABOUT).count('class="found"') == 1
    assert strip(replace(FOUND, frames=0), ABOUT)


def test_remedies_are_lines_to_type() -> None:
    seen, known, voice, gps = problems(FOUND, ABOUT)
    assert known.remedy.commands == (
        'facedouble plan span film.plan.toml P1 veil --clip A --from 00:00:01.500 --to 00:00:03.000 --by "YOUR NAME"',)
    assert seen.remedy.commands == (  # 34 x 48 px around (57, 84), 1.4 times as large
        'facedouble plan region film.plan.toml "NAME IT" --key 00:00:00.740:57,84,48x67 --clip A --from 00:00:00.740 '
        "--to 00:00:01.780",)
    assert voice.remedy.commands[0].startswith("facedouble plan bleep film.plan.toml 00:00:00.700 00:00:01.900 --clip A")
    assert not gps.remedy.commands and "Do not repair" in gps.remedy.text
    card = replace(ABOUT, lead=50)  # two seconds of a card: the plan counts from the film's first frame, and ends at its last
    assert "--from 00:00:00.000 --to 00:00:01.000" in problems(FOUND, card)[1].remedy.commands[0]
    assert "00:00:00.000 00:00:00.040" in problems(FOUND, card)[2].remedy.commands[0]
    hostile = replace(ABOUT, plan="a; rm -rf ~.toml", clip="$(x)")
    assert "'a; rm -rf ~.toml' P1 veil --clip '$(x)'" in problems(FOUND, hostile)[1].remedy.commands[0]
    loose = [p.remedy.commands for p in problems(FOUND, replace(ABOUT, clip=""))]
    assert loose[1][0] == "facedouble protect FOOTAGE.mp4 -o SAFER.mp4 --double veil" and loose[2][0].endswith("--voice mute")
    assert [line.split()[1] for line in loose[0]] == ["protect", "analyse", "plan", "plan", "render"]
    assert loose[0][3] == seen.remedy.commands[0], "without a plan too, the line that covers the place is there"
    for spans in ([(40 * n, 40 * n + 1) for n in range(4)], [(100, 360)]):  # many moments, or ten seconds
        held = replace(ALIKE, findings=tuple(replace(KNOWN, frames=span) for span in spans))
        assert problems(replace(FOUND, checks=(held,)), ABOUT)[0].remedy.commands[0].startswith("facedouble double rank")


def test_another_double_is_advised_only_against_likeness() -> None:
    """What is left of the footage stays left under another double: the veil helps, and it is a fault of ours."""
    spans = [(20 * n, 20 * n + 4) for n in range(8)]
    left = replace(SEEN, findings=tuple(Finding("the footage shines through", span, box=FACE, person="P1") for span in spans))
    alike = replace(ALIKE, findings=tuple(replace(KNOWN, frames=span) for span in spans))
    for checks, name in itertools.product(((left,), (left, alike)), ("A", "")):
        (one,) = problems(replace(FOUND, frames=200, checks=checks), replace(ABOUT, clip=name))
        assert not any("rank" in line for line in one.remedy.commands) and "veil" in one.remedy.commands[0]
        assert "cast" not in one.remedy.text and "report" in one.remedy.text
    elsewhere = replace(alike, findings=tuple(replace(KNOWN, frames=(a + 400, b + 400)) for a, b in spans))
    first_, second = problems(replace(FOUND, frames=800, checks=(left, elsewhere)), ABOUT)
    assert "report" in first_.remedy.text and "rank" in second.remedy.commands[0]
    wrong_double = Finding("P1 does not wear the double that was decided on.", (1, 20), person="P1")
    (wrong,) = problems(replace(FOUND, checks=(Check(WORN, "attacked", "t", findings=(wrong_double,)),)), ABOUT)
    assert wrong.remedy.commands == (again(ABOUT),) and "another double" in wrong.remedy.text


def test_what_the_plan_covers_already_is_not_to_be_covered_once_more() -> None:
    bare = Finding("Something can be seen in a place that has to be covered.", (10, 20), box=FACE)
    (one,) = problems(replace(FOUND, checks=(Check(COVERED, "seen", "t", findings=(bare,)),)), ABOUT)
    assert one.remedy.commands == (again(ABOUT),) and "again" in one.remedy.text


@pytest.mark.parametrize("at", [0, 1, 30, 74])
def test_remedies_can_be_typed(tmp_path: Path, at: int) -> None:
    """The plan takes every line as it stands on the page, at the film's ends too, and says afterwards what was meant."""
    plan = tmp_path / "film.plan.toml"
    plan.write_text(ROSE.replace("frames = 100", f"frames = {FRAMES}"))
    span = (at, at + 1)
    audit = replace(FOUND, checks=(
        replace(SEEN, findings=(replace(KNOWN, frames=span), replace(BARE, frames=span))),
        Check("a", "attacked", "t", findings=(replace(KNOWN, frames=span),)),
        Check("v", "heard", "t", findings=(Finding("v", ms=(at * 40, at * 40 + 40)), Finding("all", person="P1")))))
    lines = [line for p in problems(audit, ABOUT) for line in p.remedy.commands if line.startswith("facedouble plan")]
    assert len(lines) == 5
    for line in lines:
        words = [str(plan) if word == "film.plan.toml" else word for word in shlex.split(line)[1:]]
        app(words, standalone_mode=False)
    held = read(plan.read_text())
    (rose,) = held.people
    assert (rose.decision.face, rose.voice, rose.voice_by) == ("veil", "mute", "YOUR NAME")
    (decided,) = rose.spans
    assert decided.start <= at < decided.stop <= FRAMES
    (region,) = held.regions
    assert region.stop is not None
    x, y = MIRROR.centre
    assert (region.keys[0].x, region.keys[0].y) == (round(x), round(y)) and region.start <= at < region.stop <= FRAMES
    (bleep,) = held.bleeps
    assert bleep.start <= at * 40 and bleep.stop >= at * 40 + 40


@pytest.mark.parametrize("name", ["", "A"])
def test_every_line_is_one_of_the_program(name: str) -> None:
    """Options and arguments of whatever the page may tell somebody to type."""
    lines = {again(replace(ABOUT, clip=name))}
    for group, frames_, ms, box, person, times in itertools.product(
            ("seen", "attacked", "heard", "container"), (None, (3, 5)), (None, (10, 20)), (None, FACE), ("", "P1"), (1, 5)):
        found = tuple(Finding(f"f{n}", frames_ and (3 + 40 * n, 5 + 40 * n), ms, box, person=person) for n in range(times))
        made = problems(replace(PASSED, frames=300, checks=(Check("c", group, "t", findings=found),)), replace(ABOUT, clip=name))
        lines |= {line for p in made for line in p.remedy.commands}
    assert len(lines) >= 5
    for line in lines:
        words, command = shlex.split(line)[1:], get_command(app)
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        command.make_context("x", words)


def test_every_group_has_a_remedy() -> None:
    for group, frames_, ms, box, person, name in itertools.product(
            ("seen", "attacked", "heard", "container"), (None, (3, 5)), (None, (10, 20)), (None, FACE), ("", "P1"), ("", "A")):
        check = Check("c", group, "t", findings=(Finding("f", frames_, ms, box, person=person),) * 2)
        audit = replace(PASSED, checks=(check,))
        held = first(audit, replace(ABOUT, clip=name))
        assert "Do not publish" in held and all(p.remedy.text for p in problems(audit, ABOUT))


def test_what_many_checks_find_is_one_thing() -> None:
    """A bare face is told by every check that looks at faces; at another time, or beside it, it is another thing."""
    bare = Finding("the footage shines through", (60, 66), box=FACE, person="face 1")
    known = Finding("a recogniser knows it", (64, 65), box=Box(95, 90, 200, 240), person="P1")
    beside = Finding("the footage shines through", (61, 62), box=MIRROR, person="P2")
    later = Finding("the footage shines through", (90, 91), box=FACE, person="face 1")
    voice, tag = Finding("a voice", ms=(2400, 2600)), Finding("a tag")
    audit = replace(FOUND, frames=200, checks=(
        replace(SEEN, findings=(later, bare, beside)), replace(SEEN, name="who", findings=(known,)),
        Check("v", "heard", "t", findings=(voice, replace(voice, ms=(2700, 2800)))),
        Check("b", "container", "t", findings=(tag, tag))))
    held = moments(audit, ABOUT)
    assert [m.findings for m in held[:3]] == [(bare, known), (beside,), (later,)]
    assert held[0].whole.frames == (60, 66) and held[0].whole.box == FACE and held[0].whole.person == "face 1"
    assert held[3].whole.ms == (2400, 2800) and len(held) == 6
    said_ = first(audit)
    assert "6 things were found" in said_ and "A recogniser knows it." in said_ and "3 found" in said_
    assert said_.count("The footage shines through.") == 2  # once for each of the two people


def test_what_was_covered_is_read_from_the_report() -> None:
    held = [{"face": 0, "frames": [10, 20]}, {"frames": [30, 31], "box": [0, 0, 1, 1]}, {"ms": [2000, 2100]}, {"face": 1}, "x", 7,
            {"frames": [1]}, {"frames": ["a", 2]}, {"frames": [-90, -80]}]
    assert covered({"audit": {"covered": held}}, Fraction(25), 5) == ((15, 25), (35, 36), (50, 52))
    assert not covered({}, Fraction(25), 0) and not covered({"audit": "draft"}, Fraction(25), 0)
    assert not covered({"audit": {"covered": 3}}, Fraction(25), 0)
    shown = first(PASSED, replace(ABOUT, covered=((15, 25), (35, 36))))
    assert "so 2 places were covered" in shown and shown.index("Look at what was covered") < shown.index("Watch all of it")


def test_publishing_comes_last_and_what_was_not_tried_is_counted_before() -> None:
    left = Check("names in the sound", "heard", "Listened for names.", missing="there is no list of names", needed=False)
    silent = Check("sound streams", "heard", "Counted streams.")
    text, before = first(replace(PASSED, checks=(*PASSED.checks, left))), sum(bool(c.missing) for c in PASSED.checks)
    assert f", {before + 1} not tried;" in text and "not needed" not in text
    assert text.index("Not tried: “names in the sound”") < text.index("Publish exactly this file")
    quiet = first(replace(PASSED, checks=(*(c for c in PASSED.checks if c.group != "heard"), silent)))
    assert "there was nothing to hear in it" in quiet and "there was nothing to hear" not in text


def test_a_draft_is_not_published() -> None:
    for title, drafted in (("A.mp4", False), ("A.draft.mp4", True)):
        words = Seen(page(PASSED, {}, replace(ABOUT, title=title))).text
        assert ("This is a draft" in words) is drafted and ("Publish exactly this file" in words) is not drafted


def test_what_has_no_limit_is_not_called_well() -> None:
    """An attacker who always wins, and to whom no limit is set, must not come out as a tick."""
    sure = replace(PARROT, figures={"verdict": "the attacker knows them"})
    audit = replace(PASSED, checks=(SEEN, sure))
    said_ = first(audit)
    assert "Attackers who have this tool\nSomebody who has this tool.\nThe attacker knows them." in said_
    assert "no limit is set for them" in said_ and 'class="noted"' in page(audit, {}, ABOUT)
    assert any(line.startswith("Somebody who has this tool, and how much") for line in remains(audit.checks))
    past = replace(sure, findings=(Finding("it picks P1 out of 20", score=0.9, limit=0.5, person="P1"),))
    assert 'check found' in page(replace(PASSED, checks=(past,)), {}, ABOUT)


def test_what_has_one_remedy_is_one_problem() -> None:
    tags = tuple(Finding(f"tag {n}") for n in range(60))
    streams = Finding("the film has 2 sound streams")
    audit = replace(FOUND, checks=(
        Check("s", "heard", "t", findings=(streams,)), Check("t", "heard", "t", findings=(Finding("a voice", ms=(5, 9)),)),
        Check("b", "container", "t", findings=tags), Check("c", "container", "t", findings=tags[:2])))
    held = problems(audit, ABOUT)
    assert [len(p.moments) for p in held] == [1, 1, 62] and held[0].remedy.commands[0].startswith("facedouble plan bleep")
    said_ = first(audit)
    assert said_.count("Do not repair the file") == 1 and "Tag 1. Tag 2. And 57 more." in said_
    assert "64 things were found" in said_ and "in the whole file\n" in said_


def test_what_remains_fits_what_ran() -> None:
    assert remains(PASSED.checks, exhaustive=True)[1:] == ALWAYS
    assert remains([c for c in PASSED.checks if c.group != "attacked"] + [PARROT], exhaustive=True)[1:] == ALWAYS  # no motion
    assert [line.partition(":")[0] for line in remains((), gallery=False)][:-len(ALWAYS)] == [
        "Faces in part of the film", "Somebody who has this tool", "The way the face moves", "The sound", "A line-up"]
    assert "The sound" not in {line.partition(":")[0] for line in remains((), sound=False)}
    assert OPEN.untested[0].startswith("Faces in part") and any("Somebody who has this tool" in line for line in OPEN.untested)
    assert all(re.match(r"[A-Z][^:]{3,40}: \S", line) for line in (*ALWAYS, *remains((), gallery=False)))


def test_looks_take_turns() -> None:
    first_, second = wanted(FOUND, 2)
    assert (first_.frame, second.frame) == (31, 57)  # the check's own word for the best view of frames 50 to 62
    assert [look.frame for look in wanted(FOUND, 24)] == [31, 57, 12]
    crowd = replace(SEEN, worst=(), findings=tuple(Finding("f", (n, n + 1), box=FACE) for n in range(500)))
    assert [look.frame for look in looks(crowd)] == [0, 12, 24, 36, 48, 60]  # what is nearer looks the same
    three = replace(FOUND, checks=(crowd, SEEN, replace(SEEN, findings=(BARE,))))
    assert [look.frame for look in wanted(three, 3)] == [0, 31, 12]
    assert wanted(replace(PASSED, checks=()), 24) == []


def test_pictures_are_of_the_output(film: Path) -> None:
    """Each is the frame of its number, whether it was sought or read over, and nothing beside the file is opened."""
    truth = {f.index: f for f in frames(probe(film))}
    asked = [0, 7, 100, 101, 149, 179]
    found = list(picked(probe(film), [*asked, 400, -1, 7]))
    assert [f.index for f in found] == asked
    for frame in found:
        assert all(np.array_equal(a, b) for a, b in zip(frame.planes, truth[frame.index].planes, strict=True))
    made = pictures(film, [Look(100), Look(149, Box(10, 10, 30, 30)), Look(5000), Look(-3)], 24, 48)
    assert list(made) == [(100, None), (149, Box(10, 10, 30, 30))]
    picture = cv2.imdecode(np.frombuffer(made[100, None], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (32, 48, 3)
    assert len(pictures(film, [Look(n) for n in range(50)], 5, 48)) == 5


def test_few_frames_of_a_long_film_are_sought(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facedouble.media import again

    read: list[int] = []

    def counted_(*args: object) -> object:
        for frame in frames(*args):  # type: ignore[arg-type]
            read.append(frame.ticks)
            yield frame

    monkeypatch.setattr(again, "frames", counted_)
    assert [f.index for f in again.picked(probe(film), [170])] == [170]
    assert len(read) <= 60  # from the key frame before, not from the start


def test_broken_files_give_no_picture(tmp_path: Path, film: Path) -> None:
    for name, data in (("none.mp4", b""), ("text.mp4", b"not a film"), ("cut.mp4", film.read_bytes()[:3000])):
        (tmp_path / name).write_bytes(data)
        assert pictures(tmp_path / name, [Look(0)], 24, 48) == {}
    assert pictures(tmp_path / "absent.mp4", [Look(0)], 24, 48) == {}
    one = clip(tmp_path / "one.mp4", 32, 32, 1)
    assert list(pictures(one, [Look(0, Box(-50, -50, -20, -20)), Look(0, Box(-5, -5, 500, 500))], 24, 48)) == [
        (0, Box(-50, -50, -20, -20)), (0, Box(-5, -5, 500, 500))]


def test_a_small_place_is_framed_and_enlarged() -> None:
    rgb = ramp(300, 400)
    rgb[40:52, 60:72] = (200, 0, 0)
    out = marked(rgb, Box(60, 40, 72, 52), 1.0)
    assert out.shape == rgb.shape and (out[46, 66] == (200, 0, 0)).all()
    corner = out[150:, 200:]
    assert (np.abs(corner.astype(int) - (200, 0, 0)).sum(-1) < 30).sum() > 30 * 12 * 12  # more than five times as wide
    assert (np.abs(out.astype(int) - BRIGHT).sum(-1) < 60).sum() > 40
    large = marked(rgb, Box(50, 50, 300, 280), 0.5)
    assert large.shape == (150, 200, 3) and not (large == (200, 0, 0)).all(-1).any()


def test_pictures_fit_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where every one of them is noise, the worst for a JPEG."""
    from facedouble.pipeline.audit import pictures as home

    noise = np.random.default_rng(0).integers(0, 255, (270, 480, 3)).astype(np.uint8)
    monkeypatch.setattr(home, "picture", lambda frame: noise)
    small = clip(tmp_path / "noise.mp4", 480, 270, 24)
    made = pictures(small, [Look(n) for n in range(24)])
    assert len(made) == 24 and sum(map(len, made.values())) <= home.ROOM


def test_ink_stands_out_from_paper() -> None:
    def bright(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for held in (LIGHT, DARK):
        pairs = [(ink, paper) for ink in ("ink", "faint", "link") for paper in ("paper", "card")]
        for kind in ("found", "open", "passed"):
            pairs += [(kind, ground) for ground in ("paper", "card", f"{kind}-paper", "mark-ink")]
            pairs += [(ink, f"{kind}-paper") for ink in ("ink", "faint")]
        pairs += [("left", "card"), ("left", "paper"), ("left", "mark-ink")]
        for ink, paper in pairs:
            low, high = sorted((bright(held[ink]), bright(held[paper])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)


def test_words_and_figures() -> None:
    units = ((1, "frames"), (2_000, "frames"), (1, "boxes"), (1, "faces"), (1, "s"), (3, ""))
    assert [counted(*u) for u in units] == ["1 frame", "2,000 frames", "1 part of the file", "1 face", "1 s", "3 things"]
    assert [number(v) for v in (0.2134, 12345, 1234567.0, True, "a<b", float("nan"))] == [
        "0.213", "12,345", "1,234,567", "True", "a&lt;b", "nan"]
    assert prose("run `a <b>` now") == 'Run <code class="in">a &lt;b&gt;</code> now.' and prose("") == ""
    assert said("x" * 500).endswith("…") and len(said("x" * 500)) == 400
    with pytest.raises(ValueError, match="frames a second"):
        About("a", Fraction(0))
