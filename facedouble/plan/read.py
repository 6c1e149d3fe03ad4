"""The plan's TOML -> `Plan`. Every error is one sentence with its line and what to do."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NoReturn, TypeVar

from facedouble.errors import UsageError
from facedouble.plan.locate import Path, Places, locate
from facedouble.plan.people import Decision, Person, Span, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.rules import Wrong, one_of
from facedouble.plan.times import HOW, frame, moment, seconds
from facedouble.plan.values import Card, Check, Clip, DoubleFile, Ignored, Key, Region
from facedouble.plan.voices import Ambience, Bleep, Speech, VoiceFile, Voicing

VERSION: Final = 1
_DECISION: Final = ("face", "halo", "hair", "hide", "decided_by", "reason")
_BEHIND: Final = ("ambience", "ambience_by", "ambience_reason")
KEYS: Final = {  # every key there is; docs/plan.md explains each
    "": ("version", "gone", *_BEHIND, "clip", "double", "voice", "person", "ignore", "region", "turn", "bleep", "card",
         "watermark", "check"),
    "clip": ("id", "file", "sha256", "frames", "rate", "notes", *_BEHIND),
    "double": ("name", "file"),
    "person": ("id", "name", "faces", *_DECISION, "voice", "voice_reason", "voice_by", "span"),
    "person.span": ("clip", "from", "to", *_DECISION, "seconds"),
    "ignore": ("face", "looked_at_by", "reason"),
    "region": ("clip", "name", "cover", "shape", "from", "to", "track", "keys"),
    "region.keys": ("at", "x", "y", "w", "h", "angle"),
    "voice": ("name", "file"),
    "turn": ("clip", "from", "to", "person", "voice", "by", "reason", "speaker", "flags"),
    "bleep": ("clip", "from", "to", "sound", "by", "reason"),
    "card": ("text", "seconds", "language", "direction", "on"),
    "watermark": ("text",),
    "check": ("clip", "from", "to", "what", "state", "by", "place"),
    "check.place": ("at", "x", "y", "w", "h", "angle"),
}
_SYNTAX: Final = (  # tomllib's words -> what to do
    ("Cannot overwrite a value", "this key is there already, delete one of the two"),
    ("twice", "this table is there already, delete one of the two"),
    ("Cannot mutate", "begin every entry of such a list with its own [[ ]]"),
    ("", 'put texts into "quotes", and close every quote and bracket'),
)
T = TypeVar("T")


class _Table:
    """One table of the text: its values by type, with errors that know their line."""

    def __init__(self, data: dict[str, Any], kind: str, path: Path, places: Places) -> None:
        self.data, self.kind, self.path, self.places = data, kind, path, places
        known = KEYS[kind]
        for key in data:
            if key not in known:
                where = f" in {self.title}" if kind else ""
                self.fail(key, f"unknown key {_brief(key)}{where}: {one_of(key, known if kind else (*known, 'person.span'))}")

    @property
    def title(self) -> str:
        """How the table's header is written."""
        return f"[{self.kind}]" if self.kind in ("card", "watermark") else f"[[{self.kind}]]"

    def fail(self, key: str, say: str) -> NoReturn:
        raise self.error(say, key)

    def error(self, say: object, *path: str | int) -> UsageError:
        """The sentence with its line, without characters that would move the cursor of a terminal."""
        plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(say))
        return UsageError(f"line {self.places.line((*self.path, *path))}: {plain}")

    def must(self, key: str, example: str) -> None:
        """Fail if the key is not there."""
        if key not in self.data:
            self.fail(key, f"{self.title} has no {key}: add {key} = {example}")

    def get(self, key: str, kind: type[T], wanted: str, default: T) -> T:
        """A value of a type; `wanted` says in words what it has to be."""
        held: object = self.data.get(key, default)
        if isinstance(held, bool) is not (kind is bool) or not isinstance(held, kind):
            self.fail(key, f"{key} has to be {wanted}, not {_brief(held)}")
        return held

    def text(self, key: str, default: str = "") -> str:
        return self.get(key, str, 'a text in "quotes"', default)

    def texts(self, key: str, example: str) -> tuple[str, ...]:
        """A list of texts, () if it is not there."""
        held = self.get(key, list, f"a list such as {example}", [])
        if not all(isinstance(one, str) for one in held):
            self.fail(key, f"{key} has to be a list such as {example}")
        return tuple(held)

    def whole(self, key: str) -> int:
        return self.get(key, int, "a whole number without quotes", 0)

    def number(self, key: str, default: float | None) -> float | None:
        held = self.data.get(key)
        if held is None:
            return default
        if isinstance(held, bool) or not isinstance(held, int | Decimal) or not _usable(held):
            self.fail(key, f"{key} has to be a number without quotes, not {_brief(held)}")
        return float(held)

    def place(self, key: str, default: float = 0.0) -> float:
        """A number that is there, or the default."""
        held = self.number(key, default)
        assert held is not None
        return held

    def time(self, key: str, rate: Fraction, default: T) -> int | T:
        """The frame of a time."""
        if key not in self.data:
            return default
        try:
            return frame(self.data[key], rate)
        except ValueError:
            self.fail(key, f"{key} = {_brief(self.data[key])} is no time: {HOW}")

    def moment(self, key: str, rate: Fraction) -> int:
        """A time in ms."""
        try:
            return moment(self.data[key], rate)
        except ValueError:
            self.fail(key, f"{key} = {_brief(self.data[key])} is no time: {HOW}")

    def length(self, key: str, default: Fraction) -> Fraction:
        """Seconds."""
        try:
            return seconds(self.data[key]) if key in self.data else default
        except ValueError:
            self.fail(key, f"{key} = {_brief(self.data[key])} is no length of time: write seconds as 2.0")

    def tables(self, key: str, kind: str) -> Iterator[_Table]:
        """The tables of a list."""
        held = self.data.get(key, [])
        how = f"begin each with [[{kind}]]" if key != "keys" else "write each as { at = 0, x = 400, y = 300, w = 80, h = 40 }"
        if not isinstance(held, list) or not all(isinstance(item, dict) for item in held):
            self.fail(key, f"{key} has to be a list of tables: {how}")
        return (_Table(item, kind, (*self.path, key, n), self.places) for n, item in enumerate(held))

    def table(self, key: str) -> _Table | None:
        """A single table, if it is there."""
        if key not in self.data:
            return None
        if not isinstance(self.data[key], dict):
            self.fail(key, f"{key} has to be one table: write [{key}] with single brackets, once")
        return _Table(self.data[key], key, (*self.path, key), self.places)

    def build(self, make: Callable[[], T]) -> T:
        """Make a value; a rule that is broken is said of its line."""
        try:
            return make()
        except Wrong as wrong:
            raise self.error(wrong, *wrong.path) from wrong

    def decision(self) -> Decision:
        return self.build(lambda: Decision.of(self.text("face", "veil"), self.text("decided_by"), self.text("reason")))


def read(text: str) -> Plan:
    """Read a plan; UsageError is one sentence that begins with its line."""
    top = _Table(*_parse(text))
    top.must("version", str(VERSION))
    if top.whole("version") != VERSION:
        top.fail("version", f"facedouble reads plans of version {VERSION}, not {_brief(top.data['version'])}: update it")
    clips = tuple(map(_clip, top.tables("clip", "clip")))
    film = top.build(lambda: Plan(clips))
    doubles = tuple(t.build(lambda t=t: DoubleFile(t.text("name"), t.text("file")))  # type: ignore[misc]
                    for t in top.tables("double", "double"))
    people = tuple(_person(t, film) for t in top.tables("person", "person"))
    ignored = tuple(map(_ignored, top.tables("ignore", "ignore")))
    regions = tuple(_region(t, film) for t in top.tables("region", "region"))
    checks = tuple(_check(t, film) for t in top.tables("check", "check"))
    card, mark = top.table("card"), top.table("watermark")
    voices = tuple(t.build(lambda t=t: VoiceFile(t.text("name"), t.text("file")))  # type: ignore[misc]
                   for t in top.tables("voice", "voice"))
    speech = tuple(_turn(t, film) for t in top.tables("turn", "turn"))
    bleeps = tuple(_bleep(t, film) for t in top.tables("bleep", "bleep"))
    gone = top.texts("gone", '["P3"]')
    return top.build(lambda: Plan(clips, doubles, people, ignored, regions, None if card is None else _card(card),
                                  None if mark is None else mark.text("text"), checks, voices, speech, bleeps, _behind(top),
                                  gone))


def _parse(text: str) -> tuple[dict[str, Any], str, Path, Places]:
    """The values that tomllib reads, and their places."""
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"), parse_float=Decimal)
        return data, "", (), locate(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", str(error), re.DOTALL)
        what, line, column = found.groups() if found else (str(error), None, None)
        where = f"line {line or text.count(chr(10)) + 1}"
        do = next(do for words, do in _SYNTAX if words in what)
        raise UsageError(f"{where}: this is not valid TOML ({what}{f', column {column}' if column else ''}): {do}") from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise UsageError("line 1: this is no plan: delete numbers of thousands of digits and lists in lists in lists") from error


def _clip(t: _Table) -> Clip:
    for key, example in (("id", '"A"'), ("file", '"…"'), ("sha256", '"…"'), ("frames", "250"), ("rate", "25")):
        t.must(key, example)
    said = t.data["rate"]
    try:
        if isinstance(said, str) and not re.fullmatch(r"[0-9]{1,9}(/[1-9][0-9]{0,8}|\.[0-9]{1,9})?", said):
            raise ValueError("not a rate")
        rate = Fraction(said) if isinstance(said, str) else seconds(said)
    except ValueError:
        t.fail("rate", f'rate has to be frames per second, not {_brief(said)}: write it as 25 or "30000/1001"')
    return t.build(lambda: Clip(t.text("id"), t.text("file"), t.text("sha256"), t.whole("frames"), rate, t.text("notes"),
                                _behind(t)))


def _behind(t: _Table) -> Ambience | None:
    """The ambience that a table speaks of."""
    if "ambience" not in t.data:
        for key in _BEHIND:
            if key in t.data:
                t.fail(key, f'{key} goes with ambience: add ambience = "new"')
        return None
    return t.build(lambda: Ambience(t.text("ambience"), t.text("ambience_by"), t.text("ambience_reason")))


def _person(t: _Table, film: Plan) -> Person:
    t.must("id", '"P1"')
    listed = t.get("faces", list, 'a list such as ["A:0", "B:2@10-90"]', [])
    faces = []
    for n, face in enumerate(listed):
        if not isinstance(face, str):
            t.fail("faces", f'faces has to be a list such as ["A:0", "B:2@10-90"], without {_brief(face)}')
        faces.append(_face(t, face, "faces", n))
    spans = tuple(_person_span(s, film) for s in t.tables("span", "person.span"))
    return t.build(lambda: Person(t.text("id"), t.text("name"), tuple(faces), t.decision(), t.number("halo", None),
                                  t.text("hair", "keep"), spans, t.text("voice", "mute"), t.text("voice_reason"),
                                  t.text("hide", "ellipse"), t.text("voice_by")))


def _person_span(t: _Table, film: Plan) -> Span:
    t.must("face", '"veil"')
    clip, start, stop = _frames(t, film)
    lasts = t.length("seconds", Fraction(0))
    length = max(round(lasts * clip.rate), int(lasts > 0))
    return t.build(lambda: Span(clip.id, start, clip.frames if stop is None else stop, t.decision(), t.number("halo", None),
                                t.text("hair") if "hair" in t.data else None, length,
                                t.text("hide") if "hide" in t.data else None))


def _ignored(t: _Table) -> Ignored:
    t.must("face", '"A:3"')
    face = _face(t, t.text("face"), "face")
    return t.build(lambda: Ignored(face, t.text("looked_at_by"), t.text("reason")))


def _region(t: _Table, film: Plan) -> Region:
    for key, example in (("name", '"…"'), ("cover", '"solid"'), ("keys", "[{ at = 0, x = 400, y = 300, w = 80, h = 40 }]")):
        t.must(key, example)
    clip, start, stop = _frames(t, film)
    keys = [_key(k, clip) for k in t.tables("keys", "region.keys")]
    return t.build(lambda: Region(clip.id, t.text("name"), t.text("cover"), t.text("shape", "box"), tuple(keys),
                                  t.get("track", bool, "true or false", False), start, stop))


def _key(t: _Table, clip: Clip) -> Key:
    for key in ("at", "x", "y", "w", "h"):
        t.must(key, "0")
    at = t.time("at", clip.rate, 0)
    return t.build(lambda: Key(at, *(t.place(key) for key in ("x", "y", "w", "h", "angle"))))


def _card(t: _Table) -> Card:
    return t.build(lambda: Card(t.text("text"), t.length("seconds", Fraction(4)), t.text("language"),
                                t.text("direction", "auto"), t.text("on", "first")))


def _check(t: _Table, film: Plan) -> Check:
    clip, start, stop = _frames(t, film)
    held = t.data.get("place")
    if held is not None and not isinstance(held, dict):
        t.fail("place", "place has to be written as { at = 0, x = 400, y = 300, w = 80, h = 40 }")
    place = None if held is None else _key(_Table(held, "check.place", (*t.path, "place"), t.places), clip)
    return t.build(lambda: Check(clip.id, start, clip.frames if stop is None else stop, t.text("what"), t.text("state", "open"),
                                 t.text("by"), place))


def _turn(t: _Table, film: Plan) -> Speech:
    clip, start, stop = _moments(t, film)
    voicing = None
    if "voice" in t.data:
        voicing = t.build(lambda: Voicing.of_words(t.text("voice"), t.text("by"), t.text("reason")))
    for key in ("by", "reason"):
        if voicing is None and key in t.data:
            t.fail(key, f'{key} of a turn goes with a voice of its own: add voice = "mute", or delete it')
    flags = t.texts("flags", '["laughter?"]')
    speaker = t.whole("speaker") if "speaker" in t.data else -1
    return t.build(lambda: Speech(clip.id, start, stop, t.text("person"), voicing, speaker, flags))


def _bleep(t: _Table, film: Plan) -> Bleep:
    clip, start, stop = _moments(t, film)
    return t.build(lambda: Bleep(clip.id, start, stop, t.text("by"), t.text("reason"), t.text("sound", "tone")))


def _moments(t: _Table, film: Plan) -> tuple[Clip, int, int]:
    """The clip, begin and end in ms of a table with `clip`, `from` and `to`, both of which have to be there."""
    for key, example in (("clip", '"A"'), ("from", '"00:00:04.800"'), ("to", '"00:00:05.200"')):
        t.must(key, example)
    clip = t.build(lambda: film.clip(t.text("clip"), "clip"))
    return clip, t.moment("from", clip.rate), t.moment("to", clip.rate)


def _frames(t: _Table, film: Plan) -> tuple[Clip, int, int | None]:
    """The clip, first frame and end of a table with `clip`, `from` and `to`."""
    t.must("clip", '"A"')
    clip = t.build(lambda: film.clip(t.text("clip"), "clip"))
    return clip, t.time("from", clip.rate, 0), t.time("to", clip.rate, None)


def _face(t: _Table, said: str, *path: str | int) -> TrackName:
    try:
        return TrackName.of(said)
    except Wrong as wrong:
        raise t.error(wrong, *path) from wrong


def _usable(number: int | Decimal) -> bool:
    exact = Decimal(number)
    return exact.is_finite() and exact.adjusted() < 9


def _brief(held: object) -> str:
    """A value as it may stand in a sentence."""
    said = str(held) if isinstance(held, Decimal) else json.dumps(held, ensure_ascii=False, default=str)
    return said if len(said) <= 60 else f"{said[:57]}…"
