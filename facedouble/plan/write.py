"""A plan as TOML: a whole fresh file with notes for the person who edits it, and the blocks that `edit` adds."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from facedouble.errors import UsageError
from facedouble.plan.people import Decision, Person, Span, Treatment
from facedouble.plan.plan import Plan
from facedouble.plan.read import VERSION
from facedouble.plan.splice import list_of, quoted
from facedouble.plan.times import clock, timecode
from facedouble.plan.values import Card, Check, Clip, DoubleFile, Ignored, Key, Region
from facedouble.plan.voices import Ambience, Bleep, Speech, VoiceFile

FINEST: Final = 480  # frames/s up to which times are written as timecodes

HEAD: Final = f"""\
# The plan of a film: what each person in it gets. Edit it with any text editor (in a project, where it is encrypted, with the
# commands `facedouble plan …`), save it as plain text, then run
#     facedouble plan check THIS-FILE
# What stands after a # is for people and changes nothing.
#
# Nobody is shown by accident: a face that stands in no list, of whom nothing is decided, or that stands in the lists of
# two people, is veiled.
#
#   face = "double NAME"    the face of a volunteer, from the [[double]] of that name
#   face = "mannequin"      a face that belongs to nobody
#   face = "veil"           the whole head under a soft opaque cover
#   face = "hide"           a solid cover; hide = "ellipse", "box" or "frame" (the whole picture) says how much
#   face = "show"           the real face; needs reason and decided_by
#   face = "reveal"         only in a [[person.span]]: dissolves to the real face, then shows it; needs reason and decided_by
#
#   voice = "double NAME"   what this person says in the voice of a volunteer, from the [[voice]] of that name
#   voice = "revoice FILE"  the words spoken anew by a volunteer: a recording, or a folder of them
#   voice = "mute"          not heard; so is everybody of whom nothing is said
#   voice = "keep"          the real voice; needs voice_reason and decided_by
#
# Who speaks when stands under [[turn]]; a turn without a person is not heard. [[bleep]] takes a word out, and hides the mouth.
#
# A face is named by its clip and its number there, "A:3"; "A:3@120-240" is frames 120 to 239 of it.
# Times are frames (120), seconds (4.8) or timecodes ("00:00:04.800"); `to` is the first moment that is not meant any more.
# Names are pseudonyms. Never write a real one: who finds this file must not learn who is in the film.

version = {VERSION}
"""
SECTIONS: Final = (
    ("clips", "The footage. `notes` ties the numbers of the faces to the analysis that gave them; leave it alone."),
    ("doubles", "The volunteers' faces."),
    ("people", "The people."),
    ("ignored", "Found as faces, and none: they stay as they are, because somebody looked at them."),
    ("regions", "Other things to cover: x and y are the middle, w and h the size, in pixels."),
    ("voices", "The volunteers' voices."),
    ("turns", "Who speaks when. Without a person, or in a person's name who is muted, a turn is not heard."),
    ("bleeps", "Words that are neither heard nor read from lips."),
    ("checks", 'What may tell who somebody is besides the face: "open", "seen", "covered" or "accepted".'),
)


def text_of(words: str) -> str:
    """A TOML string."""
    try:
        return quoted(words)
    except UnicodeEncodeError as error:
        raise UsageError(f"{words!r} has characters that are not text and cannot stand in a plan: rename it") from error


def number_of(value: float) -> str:
    """A TOML number that reads as just this float."""
    return f"{value:.15g}" if float(f"{value:.15g}") == value else repr(value)


def seconds_of(value: Fraction) -> str:
    """Seconds, to the millionth."""
    return f"{float(value):.6f}".rstrip("0").ljust(3, "0") if value != int(value) else f"{int(value)}.0"


def time_of(frame: int, clip: Clip) -> str:
    """A point in time, as TOML."""
    return text_of(timecode(frame, clip.rate)) if clip.rate <= FINEST else str(frame)


def lines(header: str, *pairs: tuple[str, str] | None) -> str:
    """A table: its header, and each key with its TOML value."""
    return "\n".join([header, *(f"{key} = {value}" for key, value in filter(None, pairs))]) + "\n"


def _text(key: str, words: str) -> tuple[str, str] | None:
    return (key, text_of(words)) if words else None


def _look(said: Decision, halo: float | None, hair: str | None, hide: str | None) -> list[tuple[str, str] | None]:
    return [("face", text_of(said.said)), ("halo", number_of(halo)) if halo is not None else None, _text("hair", hair or ""),
            _text("hide", hide or ""), _text("decided_by", said.by), _text("reason", said.reason)]


def _span(start: int, stop: int | None, clip: Clip) -> list[tuple[str, str] | None]:
    return [("from", time_of(start, clip)) if start else None,
            ("to", time_of(stop, clip)) if stop is not None and stop != clip.frames else None]


def clip_block(clip: Clip) -> str:
    """[[clip]]"""
    rate = clip.rate.numerator if clip.rate.denominator == 1 else text_of(str(clip.rate))
    return lines("[[clip]]", ("id", text_of(clip.id)), ("file", text_of(clip.file)), ("sha256", text_of(clip.sha256)),
                  ("frames", str(clip.frames)), ("rate", str(rate)), _text("notes", clip.notes), *behind_pairs(clip.ambience))


def behind_pairs(said: Ambience | None) -> list[tuple[str, str] | None]:
    """The keys of an ambience."""
    if said is None:
        return []
    return [("ambience", text_of(said.kind)), _text("ambience_by", said.by), _text("ambience_reason", said.reason)]


def voice_block(voice: VoiceFile) -> str:
    """[[voice]]"""
    return lines("[[voice]]", ("name", text_of(voice.name)), ("file", text_of(voice.file)))


def turn_block(turn: Speech) -> str:
    """[[turn]]"""
    own = turn.voicing
    said = [] if own is None else [("voice", text_of(own.said)), _text("by", own.by), _text("reason", own.reason)]
    return lines("[[turn]]", ("clip", text_of(turn.clip)), ("from", text_of(clock(turn.start))),
                 ("to", text_of(clock(turn.stop))), _text("person", turn.person), *said,
                 ("speaker", str(turn.speaker)) if turn.speaker >= 0 else None,
                 ("flags", list_of(turn.flags)) if turn.flags else None)


def bleep_block(bleep: Bleep) -> str:
    """[[bleep]]"""
    return lines("[[bleep]]", ("clip", text_of(bleep.clip)), ("from", text_of(clock(bleep.start))),
                 ("to", text_of(clock(bleep.stop))), ("sound", text_of(bleep.sound)) if bleep.sound != "tone" else None,
                 _text("by", bleep.by), _text("reason", bleep.reason))


def double_block(double: DoubleFile) -> str:
    """[[double]]"""
    return lines("[[double]]", ("name", text_of(double.name)), ("file", text_of(double.file)))


def person_block(person: Person, clips: dict[str, Clip]) -> str:
    """[[person]] with its spans."""
    head = lines("[[person]]", ("id", text_of(person.id)), ("name", text_of(person.name)),
                  ("faces", list_of(map(str, person.faces))),
                  *_look(person.decision, person.halo, None if person.hair == Treatment().hair else person.hair,
                         None if person.hide == Treatment().hide else person.hide),
                  ("voice", text_of(person.voice)) if person.voice != "mute" else None,
                  _text("voice_reason", person.voice_reason), _text("voice_by", person.voice_by))
    return "\n".join([head, *(span_block(span, clips[span.clip]) for span in person.spans)])


def span_block(span: Span, clip: Clip) -> str:
    """[[person.span]]"""
    lasts = ("seconds", seconds_of(span.dissolve / clip.rate)) if span.dissolve else None
    return lines("[[person.span]]", ("clip", text_of(span.clip)), *_span(span.start, span.stop, clip),
                  *_look(span.decision, span.halo, span.hair, span.hide), lasts)


def ignored_block(ignored: Ignored) -> str:
    """[[ignore]]"""
    return lines("[[ignore]]", ("face", text_of(str(ignored.face))), ("looked_at_by", text_of(ignored.by)),
                  _text("reason", ignored.reason))


def region_block(region: Region, clip: Clip) -> str:
    """[[region]]"""
    keys = "".join(f"  {key_of(key, clip)},\n" for key in region.keys)
    stop = None if region.stop is None else ("to", time_of(region.stop, clip))
    return lines("[[region]]", ("clip", text_of(region.clip)), ("name", text_of(region.name)), ("cover", text_of(region.cover)),
                  ("shape", text_of(region.shape)), _span(region.start, None, clip)[0], stop,
                  ("track", "true") if region.track else None, ("keys", f"[\n{keys}]"))


def key_of(key: Key, clip: Clip) -> str:
    """An item of a region's keys."""
    turned = f", angle = {number_of(key.angle)}" if key.angle else ""
    place = ", ".join(f"{name} = {number_of(value)}" for name, value in (("x", key.x), ("y", key.y), ("w", key.w), ("h", key.h)))
    return f"{{ at = {time_of(key.frame, clip)}, {place}{turned} }}"


def check_block(check: Check, clip: Clip) -> str:
    """[[check]]"""
    return lines("[[check]]", ("clip", text_of(check.clip)), *_span(check.start, check.stop, clip),
                  ("what", text_of(check.what)), ("state", text_of(check.state)), _text("by", check.by),
                  None if check.place is None else ("place", key_of(check.place, clip)))


def card_block(card: Card) -> str:
    """[card]"""
    return lines("[card]", ("text", text_of(card.text)), ("seconds", seconds_of(card.seconds)), _text("language", card.language),
                  ("direction", text_of(card.direction)) if card.direction != "auto" else None,
                  ("on", text_of(card.on)) if card.on != "first" else None)


def write(plan: Plan) -> str:
    """The whole plan as a fresh file; `read` gives the same plan back (seconds of the card to the millionth)."""
    clips = {clip.id: clip for clip in plan.clips}
    blocks: dict[str, list[str]] = {
        "clips": [clip_block(c) for c in plan.clips],
        "doubles": [double_block(d) for d in plan.doubles],
        "people": [person_block(p, clips) for p in plan.people],
        "ignored": [ignored_block(i) for i in plan.ignored],
        "regions": [region_block(r, clips[r.clip]) for r in plan.regions],
        "voices": [voice_block(v) for v in plan.voices],
        "turns": [turn_block(t) for t in plan.speech],
        "bleeps": [bleep_block(b) for b in plan.bleeps],
        "checks": [check_block(c, clips[c.clip]) for c in plan.checks],
    }
    pairs = [("gone", list_of(plan.gone))] if plan.gone else []
    pairs += filter(None, behind_pairs(plan.ambience)) if plan.ambience is not None else []
    parts = [HEAD + "".join(f"{key} = {value}\n" for key, value in pairs)]
    if plan.card is not None:
        parts.append("# The card before the film.\n" + card_block(plan.card))
    if plan.watermark is not None:
        parts.append("# A text over the whole film.\n" + lines("[watermark]", ("text", text_of(plan.watermark))))
    parts.extend(f"# {note}\n\n" + "\n".join(blocks[name]) for name, note in SECTIONS if blocks[name])
    return "\n".join(parts)
