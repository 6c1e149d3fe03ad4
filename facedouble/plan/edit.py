"""Changes to the text of a plan, which leave the rest of it as the person wrote it: comments, order, layout.

Each takes a text and returns a new one, which `read` has accepted. UsageError says why nothing was changed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import Final, TypeVar

from facedouble.errors import UsageError
from facedouble.plan.locate import Path, Places, locate
from facedouble.plan.people import Decision, Person, Span, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.rules import Wrong, one_of
from facedouble.plan.splice import (
    Splice,
    append,
    before_item,
    cut_table,
    end_of,
    extend,
    fresh,
    insert,
    items,
    keys_end,
    line_stop,
    list_of,
    put,
    replace_items,
    spliced,
)
from facedouble.plan.values import Check, Clip, DoubleFile, Ignored, Key, Region
from facedouble.plan.voices import Ambience, Bleep, Speech, VoiceFile, Voicing
from facedouble.plan.write import (
    behind_pairs,
    bleep_block,
    check_block,
    clip_block,
    double_block,
    ignored_block,
    key_of,
    lines,
    number_of,
    person_block,
    region_block,
    seconds_of,
    span_block,
    text_of,
    time_of,
    turn_block,
    voice_block,
)

Entry = Clip | DoubleFile | Person | Ignored | Region | Check | VoiceFile | Speech | Bleep
_LISTS: Final = {Clip: "clip", DoubleFile: "double", Person: "person", Ignored: "ignore", Region: "region", Check: "check",
                 VoiceFile: "voice", Speech: "turn", Bleep: "bleep"}
T = TypeVar("T")


def add(text: str, *entries: Entry) -> str:
    """Add a clip, a double, a person, … after the last of its kind; several in their order."""
    places, plan = _open(text)
    return _done(places, [_entered(places, plan, entry) for entry in entries])


def add_clip(text: str, clip: Clip) -> str:
    """Add a footage file."""
    return add(text, clip)


def add_region(text: str, region: Region) -> str:
    """Add a region with its key frames."""
    return add(text, region)


def change_region(text: str, region: Region) -> str:
    """Change a region that is there, by clip and name; keys in other frames than those of `region` stay where they are."""
    places, plan = _open(text)
    path, held = _region(places, plan, region.clip, region.name)
    clip = _made(lambda: plan.clip(region.clip))
    shape = text_of(region.shape) if region.shape != held.shape else None
    return _done(places, [
        *put(places, path, "cover", text_of(region.cover)),
        *(put(places, path, "shape", shape) if shape else []),
        *(put(places, path, "from", time_of(region.start, clip) if region.start else None) if region.start != held.start else []),
        *(put(places, path, "to", time_of(region.stop, clip) if region.stop else None) if region.stop != held.stop else []),
        *(put(places, path, "track", "true" if region.track else None) if region.track != held.track else []),
        *_keyed(places, (*path, "keys"), held.keys, region.keys, clip)])


def _keyed(places: Places, path: Path, held: Sequence[Key], new: Sequence[Key], clip: Clip) -> list[Splice]:
    """Put keys where they belong in time; one in the frame of another takes its place."""
    there, at = items(places, path), [key.frame for key in held]
    splices: list[Splice] = []
    last: list[str] = []
    for key in sorted(new, key=lambda key: key.frame):
        n, said = bisect_left(at, key.frame), key_of(key, clip)
        if n == len(at):
            last.append(said)
        elif at[n] != key.frame:
            splices.append(before_item(places, path, n, said))
        elif held[n] != key:
            splices.append((*there[n], said))
    return splices + (append(places, path, last) if last else [])


def drop_region(text: str, clip: str, name: str) -> str:
    """Take a region away, with the comments in it and right above it."""
    places, plan = _open(text)
    path, _ = _region(places, plan, clip, name)
    return _done(places, [cut_table(places, path)[0]])


def _region(places: Places, plan: Plan, clip: str, name: str) -> tuple[Path, Region]:
    for n, region in enumerate(plan.regions):
        if (region.clip, region.name) == (clip, name):
            return _headed(places, ("region", n)), region
    _made(lambda: plan.clip(clip))
    there = [r.name for r in plan.regions if r.clip == clip]
    raise UsageError(f'there is no region "{name}" in clip {clip}: {one_of(name, there)}')


def put_card(plan: str, /, **said: str | Fraction | None) -> str:
    """Write the card, or change it: its keys as in the plan; what is None stays as it is."""
    values = {key: seconds_of(value) if isinstance(value, Fraction) else text_of(value) for key, value in said.items()
              if value is not None}
    if not values:
        raise UsageError("say what changes: the card's text, or one of its options")
    return _single(plan, "card", values)


def put_watermark(text: str, words: str) -> str:
    """Write the watermark, or change it."""
    return _single(text, "watermark", {"text": text_of(words)})


def _single(text: str, name: str, values: Mapping[str, str]) -> str:
    """Change a [table] that is there once, or write it after the version."""
    places, _ = _open(text)
    if (name,) in places.at:
        path = _headed(places, (name,))
        return _done(places, [splice for key, value in values.items() for splice in put(places, path, key, value)])
    above = max(place.stop for path, place in places.at.items() if len(path) == 1 and not place.header)
    return _done(places, [insert(places, line_stop(text, above), lines(f"[{name}]", *values.items()))])


def drop(text: str, name: str) -> str:
    """Take "card" or "watermark" away."""
    places, _ = _open(text)
    if (name,) not in places.at:
        raise UsageError(f"the plan has no {name}")
    return _done(places, [cut_table(places, _headed(places, (name,)))[0]])


def rename(text: str, person: str, name: str) -> str:
    """Give a person another pseudonym."""
    places, plan = _open(text)
    path, _ = _person(places, plan, person)
    return _done(places, put(places, path, "name", text_of(name)))


def decide(text: str, person: str, decision: Decision, halo: float | None = None, hair: str | None = None,
           hide: str | None = None) -> str:
    """Decide what a person gets wherever no span says otherwise; halo, hair and hide stay as they are if not given."""
    places, plan = _open(text)
    path, _ = _person(places, plan, person)
    return _done(places, _said(places, path, decision, halo, hair, hide))


def decide_span(text: str, person: str, span: Span) -> str:
    """Decide what a person gets in a span: a new one, or one that is there with the same clip, begin and end."""
    places, plan = _open(text)
    path, held = _person(places, plan, person)
    clip = _made(lambda: plan.clip(span.clip))
    for n, there in enumerate(held.spans):
        if (there.clip, there.start, there.stop) == (span.clip, span.start, span.stop):
            inner = _headed(places, (*path, "span", n))
            lasts = seconds_of(span.dissolve / clip.rate) if span.dissolve else None
            return _done(places, [*_said(places, inner, span.decision, span.halo, span.hair, span.hide),
                                  *put(places, inner, "seconds", lasts)])
    _signed(span.decision)
    return _done(places, [insert(places, end_of(places, path) or 0, span_block(span, clip))])


def drop_span(text: str, person: str, clip: str, start: int | None = None, stop: int | None = None) -> str:
    """Take a span of a person away; begin and end may be left out where that person has one span only in the clip."""
    places, plan = _open(text)
    path, held = _person(places, plan, person)
    _made(lambda: plan.clip(clip))
    here = [n for n, span in enumerate(held.spans) if span.clip == clip]
    found = [n for n in here if start in (None, held.spans[n].start) and stop in (None, held.spans[n].stop)]
    if len(found) != 1:
        there = ", ".join(f"{held.spans[n].start} to {held.spans[n].stop}" for n in here)
        raise UsageError(f"{person} has {'no such span' if not found else f'{len(found)} spans'} in clip {clip}: "
                         + (f"say from and to of one of {there}" if here else "look at `facedouble plan check`"))
    return _done(places, [cut_table(places, _headed(places, (*path, "span", found[0])))[0]])


def merge(text: str, into: str, other: str) -> str:
    """Two people are one: `into` gets the faces of `other`, and what was decided for `into` holds for them.

    Refused where this would show or let hear somebody for whom that was not decided.
    """
    places, plan = _open(text)
    (path, a), (gone, b) = _person(places, plan, into), _person(places, plan, other)
    if a is b:
        raise UsageError(f"{into} cannot be merged with itself: name two people")
    if b.spans:
        raise UsageError(f"{other} has spans of its own: decide what becomes of them and delete them, then merge")
    if a.open - b.open:
        raise UsageError(f"the {' and the '.join(sorted(a.open - b.open))} of {into} is let through and that of {other} is not: "
                         f"take that back for {into}, merge, and decide again")
    more = list(b.faces)
    for held in a.faces:
        more = [left for face in more for left in face.without(held)]
    cut, notes = cut_table(places, gone)
    at = keys_end(places, path)
    kept = "".join(f"# {b.id}: {note}\n" for note in notes)
    spoken = [put(places, _headed(places, ("turn", n)), "person", text_of(a.id)) for n, turn in enumerate(plan.speech)
              if turn.person == b.id]
    splices = [*extend(places, path, "faces", [str(face) for face in more]), cut, *(s for one in spoken for s in one)]
    return _done(places, [*splices, *_top(places, "gone", list_of((*plan.gone, b.id))),
                          *([(at, at, fresh(places.text, at) + kept)] if kept else [])])


def _top(places: Places, key: str, value: str) -> list[Splice]:
    """Change a key of the plan as a whole, or write it after the version."""
    if (key,) in places.at:
        return put(places, (), key, value)
    at = line_stop(places.text, places.at["version",].stop)
    return [(at, at, f"{fresh(places.text, at)}{key} = {value}\n")]


def join(text: str, person: str, faces: Sequence[TrackName]) -> str:
    """Faces that nobody has go to a person; refused if something of that person is let through."""
    places, plan = _open(text)
    path, held = _person(places, plan, person)
    if held.open:
        raise UsageError(f"the {' and the '.join(sorted(held.open))} of {person} is let through: take that back first")
    return _done(places, extend(places, path, "faces", [str(face) for face in faces]))


def split(text: str, person: str, faces: Sequence[str], name: str = "", elsewhere: Collection[str] = ()) -> tuple[str, str]:
    """One person is two: those faces, or parts of them, go to a new one, of whom nothing is decided. Returns the new id, too.

    elsewhere: ids of other plans, which the new person does not get.
    """
    places, plan = _open(text)
    path, held = _person(places, plan, person)
    wanted = [_face(face) for face in faces]
    for face in wanted:
        if not any(mine.within(face) for mine in held.faces):
            raise UsageError(f'{person} has no face "{face}": name faces of its list')
    moved = [both for mine in held.faces for face in wanted if (both := mine.within(face)) is not None]
    if not moved or not any(_left(mine, wanted) for mine in held.faces):
        raise UsageError(f"{'all' if moved else 'none'} of the faces of {person} would go: name those that are somebody else's")
    taken, notes = _take(places, path, held, wanted)
    names, id_ = {p.name.strip() for p in plan.people}, plan.unused(elsewhere)
    number = next(n for n in range(int(id_[1:]), int(id_[1:]) + len(names) + 1) if f"Person {n}" not in names)
    new = Person(id_, name or f"Person {number}", tuple(moved))
    block = "".join(f"# {note}\n" for note in notes) + person_block(new, {})
    return _done(places, [*taken, insert(places, end_of(places, path) or 0, block)]), new.id


def ignore(text: str, face: str, looked_at_by: str, reason: str = "") -> str:
    """What was found is no face, says somebody who has looked at it; it leaves the lists of people."""
    places, plan = _open(text)
    entry = _made(lambda: Ignored(_face(face), looked_at_by, reason))
    splices: list[Splice] = []
    notes: list[str] = []
    for n, held in enumerate(plan.people):
        if any(mine.within(entry.face) for mine in held.faces):
            cuts, said = _take(places, _headed(places, ("person", n)), held, [entry.face])
            splices += cuts
            notes += said
    return _done(places, [*splices, _entered(places, plan, entry, notes)])


def voice(text: str, person: str, said: Voicing) -> str:
    """Decide what a person's turns become."""
    places, plan = _open(text)
    path, _ = _person(places, plan, person)
    if not said.by.strip():
        raise UsageError("a decision needs somebody who takes it: say who decided")
    return _done(places, [*put(places, path, "voice", text_of(said.said)), *put(places, path, "voice_by", text_of(said.by)),
                          *put(places, path, "voice_reason", text_of(said.reason) if said.reason else None)])


def turns(text: str, clip: str, numbers: Sequence[int], person: str | None = None, own: Voicing | None = None) -> str:
    """Say of turns of a clip, by their numbers in the order of time, whose they are ("": nobody's), or what they become.

    A person whose voice is kept gets them only by that person's name, which is here.
    """
    places, plan = _open(text)
    there = dict(plan.turns(clip)) if any(c.id == clip for c in plan.clips) else {}
    splices: list[Splice] = []
    for number in sorted(set(numbers)):
        if number not in there:
            _made(lambda: plan.clip(clip))
            raise UsageError(f"clip {clip} has no turn {number}: `facedouble plan voices` lists the {len(there)} there are")
        n = next(n for n, turn in enumerate(plan.speech) if turn is there[number])
        path = _headed(places, ("turn", n))
        splices += put(places, path, "person", text_of(person) if person else None) if person is not None else []
        if own is not None:
            splices += [*put(places, path, "voice", text_of(own.said)),
                        *put(places, path, "by", text_of(own.by) if own.by else None),
                        *put(places, path, "reason", text_of(own.reason) if own.reason else None)]
    return _done(places, splices)


def as_person(text: str, clip: str, numbers: Sequence[int]) -> str:
    """Turns become again what their persons' do."""
    places, plan = _open(text)
    there = dict(plan.turns(clip))
    splices: list[Splice] = []
    for n, turn in enumerate(plan.speech):
        if any(there.get(number) is turn for number in numbers):
            path = _headed(places, ("turn", n))
            splices += [splice for key in ("voice", "by", "reason") for splice in put(places, path, key, None)]
    return _done(places, splices)


def drop_bleep(text: str, clip: str, start: int) -> str:
    """Take the bleep away that begins at that ms of a clip."""
    places, plan = _open(text)
    for n, bleep in enumerate(plan.bleeps):
        if (bleep.clip, bleep.start) == (clip, start):
            return _done(places, [cut_table(places, _headed(places, ("bleep", n)))[0]])
    there = ", ".join(f"{b.start / 1000:.3f} s" for b in plan.bleeps if b.clip == clip)
    raise UsageError(f"no bleep of clip {clip} begins at {start / 1000:.3f} s: "
                     + (f"they begin at {there}" if there else "there is none yet"))


def ambience(text: str, said: Ambience, clip: str | None = None) -> str:
    """Decide what lies behind the speech of a clip, None: of the whole film."""
    places, plan = _open(text)
    if not said.by.strip():
        raise UsageError("a decision needs somebody who takes it: say who decided")
    keys = ("ambience", "ambience_by", "ambience_reason")
    pairs = dict(pair for pair in behind_pairs(said) if pair is not None)
    if clip is not None:
        _made(lambda: plan.clip(clip))
        path = _headed(places, ("clip", next(n for n, c in enumerate(plan.clips) if c.id == clip)))
        return _done(places, [splice for key in keys for splice in put(places, path, key, pairs.get(key))])
    if (keys[0],) in places.at:
        at = line_stop(text, places.at[keys[0],].stop)
        held = [splice for key in keys if (key,) in places.at for splice in put(places, (), key, pairs.pop(key, None))]
    else:
        at, held = line_stop(text, places.at["version",].stop), []
    new = "".join(f"{key} = {pairs[key]}\n" for key in keys if key in pairs)
    return _done(places, [*held, *([(at, at, fresh(text, at) + new)] if new else [])])


def mark(text: str, numbers: int | Sequence[int], state: str, by: str) -> str:
    """Mark lines of the checklist, counted from 1."""
    places, plan = _open(text)
    splices: list[Splice] = []
    for number in sorted({numbers} if isinstance(numbers, int) else set(numbers)):
        if not 0 < number <= len(plan.checks):
            raise UsageError(f"there is no check {number}: take one of the {len(plan.checks)}, counted from 1")
        path = _headed(places, ("check", number - 1))
        splices += [*put(places, path, "state", text_of(state)), *put(places, path, "by", text_of(by) if by else None)]
    return _done(places, splices)


def _open(text: str) -> tuple[Places, Plan]:
    plan = read(text)
    return locate(text), plan


def _done(places: Places, splices: Sequence[Splice]) -> str:
    """The new text, if it is a plan."""
    new = spliced(places.text, splices)
    try:
        read(new)
    except UsageError as error:
        raise UsageError(re.sub(r"^line \d+: ", "the plan stays as it was: ", str(error))) from error
    return new


def _made(make: Callable[[], T]) -> T:
    """A value; a broken rule becomes an error for the user."""
    try:
        return make()
    except Wrong as wrong:
        raise UsageError(str(wrong)) from wrong


def _face(said: str) -> TrackName:
    return _made(lambda: TrackName.of(said))


def _person(places: Places, plan: Plan, id: str) -> tuple[Path, Person]:
    """A person and the path of their table."""
    for n, person in enumerate(plan.people):
        if person.id == id:
            return _headed(places, ("person", n)), person
    raise UsageError(f'there is no person "{id}": {one_of(id, [p.id for p in plan.people])}')


def _headed(places: Places, path: Path) -> Path:
    """The path, if a [[header]] stands there."""
    if not places.at[path].header:
        kind = ".".join(part for part in path if isinstance(part, str))
        header = f"[{kind}]" if kind in ("card", "watermark") else f"[[{kind}]]"
        raise UsageError(f"line {places.line(path)}: this cannot be changed here: write it as a table under {header}")
    return path


def _signed(decision: Decision) -> None:
    if not decision.by.strip():
        raise UsageError("a decision needs somebody who takes it: say who decided")


def _said(places: Places, path: Path, decision: Decision, halo: float | None, hair: str | None,
          hide: str | None) -> list[Splice]:
    """Write a decision into a table; the reason of the one before goes with it."""
    _signed(decision)
    return [*put(places, path, "face", text_of(decision.said)),
            *(put(places, path, "halo", number_of(halo)) if halo is not None else []),
            *(put(places, path, "hair", text_of(hair)) if hair is not None else []),
            *(put(places, path, "hide", text_of(hide)) if hide is not None else []),
            *put(places, path, "decided_by", text_of(decision.by)),
            *put(places, path, "reason", text_of(decision.reason) if decision.reason else None)]


def _left(face: TrackName, taken: Sequence[TrackName]) -> list[TrackName]:
    """What remains of a face when others are taken away."""
    left = [face]
    for other in taken:
        left = [part for face in left for part in face.without(other)]
    return left


def _take(places: Places, path: Path, person: Person, taken: Sequence[TrackName]) -> tuple[list[Splice], list[str]]:
    """Take faces out of a person's list. Returns the comments that stood behind them, too."""
    def change(n: int) -> list[str] | None:
        left = _left(person.faces[n], taken)
        return None if left == [person.faces[n]] else [str(face) for face in left]
    return replace_items(places, path, "faces", change)


def _entered(places: Places, plan: Plan, entry: Entry, notes: Sequence[str] = ()) -> Splice:
    """The block of an entry after the last of its kind, or at the end."""
    at = end_of(places, (_LISTS[type(entry)],))
    block = "".join(f"# {note}\n" for note in notes) + _made(lambda: _written(entry, plan))
    return insert(places, len(places.text) if at is None else at, block)


def _written(entry: Entry, plan: Plan) -> str:
    match entry:
        case Clip():
            return clip_block(entry)
        case DoubleFile():
            return double_block(entry)
        case Person():
            return person_block(entry, {span.clip: plan.clip(span.clip) for span in entry.spans})
        case Ignored():
            return ignored_block(entry)
        case Region():
            return region_block(entry, plan.clip(entry.clip))
        case Check():
            return check_block(entry, plan.clip(entry.clip))
        case VoiceFile():
            return voice_block(entry)
        case Speech():
            return turn_block(entry)
        case Bleep():
            return bleep_block(entry)
