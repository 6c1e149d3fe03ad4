"""Pieces of the page: words made harmless, numbers as people read them, marks, pictures, tables, the strip over the film."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from facedouble.audit.verdict import VERDICT, Audit, Check, Finding, Look
from facedouble.pipeline.audit.about import About
from facedouble.pipeline.audit.looks import looks, spot
from facedouble.pipeline.audit.steps import Problem
from facedouble.plan.times import clock, timecode
from facedouble.types import Box

MOST_ROWS, MOST_FACTS, LONGEST = 20, 120, 400  # rows of a table of findings, of facts; letters of a word from outside
WIDE, LEAST = 1000, 6  # units of the strip, and of the shortest mark on it
MOST_MARKS: Final = 200  # of one check on the strip
PLAIN: Final = {"boxes": "parts of the file", "parts": "parts of the file", "": "things"}  # units for whoever made the film
KNOWN: Final = ("frames", "faces", "people", "seconds", "pieces", "bytes")  # and those that need no explaining
SHAPES: Final = {  # of a mark, so that it is told by its form as well as by its colour
    "found": '<path d="M8 1h8l7 7v8l-7 7H8l-7-7V8z"/><path class="ink" d="M8 8l8 8M16 8l-8 8"/>',
    "open": '<path d="M12 1.5 23.5 22H.5z"/><path class="ink" d="M12 9v6M12 18v.5"/>',
    "passed": '<circle cx="12" cy="12" r="11"/><path class="ink" d="M6.5 12.5l4 4 7-8"/>',
    "noted": '<circle cx="12" cy="12" r="11"/><path class="ink" d="M12 11v7M12 6v.5"/>',
    "left": '<circle cx="12" cy="12" r="11"/><path class="ink" d="M7 12h10"/>',
}
_HOSTILE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_CODE = re.compile(r"`([^`]+)`")
_PLURAL = re.compile(r"(?:(?<=x)es|s)(?=$| of )")


def said(text: object, most: int = LONGEST) -> str:
    """Words from outside, as text: escaped, cut, and without what turns the direction of writing or shows nothing."""
    plain = _HOSTILE.sub("\N{REPLACEMENT CHARACTER}", str(text))
    return escape(plain if len(plain) <= most else plain[: most - 1] + "…")


def prose(text: str) -> str:
    """A sentence: begins large, ends with a stop; what stands in backticks as code."""
    text = text.strip()
    whole = text[:1].upper() + text[1:] + ("" if not text or text[-1] in ".!?" else ".")
    return _CODE.sub(r'<code class="in">\1</code>', said(whole))


def command(line: str) -> str:
    """A line to type. It breaks between its words only, so that no "--" stands alone at an end."""
    return "<code>" + " ".join(f"<span>{word}</span>" for word in said(line, 1000).split(" ")) + "</code>"


def lasting(ms: int) -> str:
    """A length of time."""
    return f"{ms / 1000:.1f} s" if ms < 60_000 else clock(ms)[:-4]


def number(value: object) -> str:
    """A figure: whole ones with commas, others with three digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return said(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if math.isfinite(value) and abs(value) >= 1000 else f"{value:.3g}"


def counted(count: int, unit: str) -> str:
    """12 frames, 1 frame, 1 box."""
    unit = PLAIN.get(unit, unit)
    return f"{count:,} {said(_PLURAL.sub('', unit) if count == 1 and len(unit) > 1 else unit)}".rstrip()


def outcome(check: Check) -> str:
    """What came of it, in words that fit any name."""
    return {"found": f"failed: {len(check.findings):,} found", "open": "could not run", "passed": "passed: nothing found",
            "left": "not tried", "noted": "measured, without a limit"}[state(check)]


def named(check: Check) -> str:
    """A check's name as a heading."""
    return said(check.name[:1].upper() + check.name[1:])


def plainly(looked: Mapping[str, int]) -> list[tuple[str, int]]:
    """The counts that say something to whoever made the film; the first one if none does."""
    return [(unit, looked[unit]) for unit in KNOWN if unit in looked] or list(looked.items())[:1]


def state(check: Check) -> str:
    """found, passed, open (could not run), left (was not tried, and is not needed), or noted: measured, and nothing judged.

    Some attackers have no limit, because what they go by is kept on purpose; nor has who comes first in a line-up. That nothing
    was found would be untrue.
    """
    if not check.findings and not check.missing and VERDICT in check.figures:
        return "noted"
    return "found" if check.findings else "passed" if not check.missing else "open" if check.needed else "left"


def sign(kind: str) -> str:
    """A mark; the words beside it say the same."""
    return f'<svg class="sign {kind}" viewBox="0 0 24 24" aria-hidden="true">{SHAPES[kind]}</svg>'


def told(checks: Sequence[Check], found: int) -> tuple[str, str]:
    """State and words of several checks: what was found outweighs what is missing, and that outweighs what is well."""
    states = [state(c) for c in checks]
    if found:
        return "found", f"{found:,} found"
    if not checks or not {"passed", "noted"} & set(states):
        why = next((c.missing for c in checks), "")
        return ("left" if checks and "open" not in states else "open"), f"not tried: {said(why, 140)}" if why else "not tried"
    if "open" in states:
        return "open", f"nothing found, but {states.count('open')} of {len(checks)} could not run"
    if "noted" in states:
        said_of = (f"<b>{named(c)}.</b> {prose(str(c.figures[VERDICT]))}" for c in checks if state(c) == "noted")
        return "noted", " ".join(dict.fromkeys(said_of))
    left = states.count("left")
    words = "nothing found" + (f", {left} of {len(checks)} not tried" if left else "")
    return "left" if 2 * left > len(checks) else "passed", words


def figures(check: Check) -> str:
    """What was measured, as a table."""
    rows = "".join(f'<tr><th scope="row">{said(name.replace("_", " "))}</th><td>{number(v)}</td></tr>'
                   for name, v in sorted(check.figures.items()))
    return f'<table class="figures"><caption>Measured</caption>{rows}</table>' if rows else ""


def findings(check: Check, about: About) -> str:
    """Each finding of a check, in a table; the rest of a long list is counted."""
    if not check.findings:
        return ""
    rows = "".join(f"<tr><td>{said(f.what)}</td><td>{said(about.place(f))}</td><td>{_limit(f)}</td></tr>"
                   for f in check.findings[:MOST_ROWS])
    rest = len(check.findings) - MOST_ROWS
    more = f'<p class="faint">And {rest:,} more: all of them are in the .audit.json beside this page.</p>' if rest > 0 else ""
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("what", "where", "measured"))
    return (f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{more}')


def _limit(finding: Finding) -> str:
    if finding.score is None:
        return ""
    return number(finding.score) + (f" (limit {number(finding.limit)})" if finding.limit is not None else "")


def thumbnail(problem: Problem, audit: Audit, pictures: Mapping[tuple[int, Box | None], bytes]) -> str:
    """The first picture of a problem, for the first screen; its words stand beside it."""
    first = problem.moments[0]
    seen = [spot(check, f) for check in audit.checks for f in first.findings if f in check.findings]
    held = next((pictures[look.frame, look.box] for look in seen if look and (look.frame, look.box) in pictures), None)
    return f'<a class="thumb" href="#check-{first.number}">{_img(held, "the place in the finished film")}</a>' if held else ""


def _img(jpeg: bytes, alt: str) -> str:
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" alt="{alt}">'


def photo(look: Look, pictures: Mapping[tuple[int, Box | None], bytes], about: About, found: bool) -> str:
    """A frame of the output with its time and why it is shown; nothing where there is no picture of it."""
    held = pictures.get((look.frame, look.box))
    if held is None:
        return ""
    why = said(look.why or ("found here" if found else "nearest to a finding"), 160)
    when = f"{timecode(look.frame, about.rate)}, frame {look.frame:,}"
    framed = ", the place is framed" if look.box is not None else ""
    return (f'<figure>{_img(held, f"The finished film at {when}{framed}: {why}")}'
            f"<figcaption><b>{when}</b> {why}</figcaption></figure>")


def photos(check: Check, pictures: Mapping[tuple[int, Box | None], bytes], about: About) -> str:
    """The pictures of a check."""
    made = "".join(photo(look, pictures, about, bool(check.findings)) for look in looks(check))
    return f'<div class="photos">{made}</div>' if made else ""


def strip(audit: Audit, about: About) -> str:
    """The film from left to right, and where something was found: a line each for picture, sound, and what was covered again."""
    whole = max(about.at(audit.frames), 1)
    timed = [(c.group == "heard", (ms, n)) for n, c in enumerate(audit.checks, 1) for ms in _spans(c, about, whole)]
    lines = [("Picture", [span for heard, span in timed if not heard], "found"),
             ("Sound", [span for heard, span in timed if heard], "found"),
             ("Covered again", [((about.at(a), about.at(b)), 0) for a, b in about.covered], "again")]
    drawn = "".join(_line(name, spans, kind, whole) for name, spans, kind in lines if spans or kind == "found")
    begin, end = 0 if whole >= 3_600_000 else 3, -4 if whole >= 20_000 else -1
    ticks = "".join(f"<span>{clock(round(whole * k / 4))[begin:end]}</span>" for k in range(5))
    return f'<div class="strip">{drawn}<div class="line ticks"><span></span><div>{ticks}</div></div></div>'


def _spans(check: Check, about: About, whole: int) -> list[tuple[int, int]]:
    """When the findings of a check are there, ms; those that nearly touch on the strip are one, so that there are never many."""
    out: list[tuple[int, int]] = []
    for start, stop in sorted(ms for ms in map(about.ms, check.findings) if ms is not None):
        if out and start - out[-1][1] < whole / MOST_MARKS:
            out[-1] = out[-1][0], max(stop, out[-1][1])
        else:
            out.append((start, stop))
    return out


def _line(name: str, spans: Sequence[tuple[tuple[int, int], int]], kind: str, whole: int) -> str:
    what = {"found": "found", "again": "after an earlier look"}[kind]
    label = f"{name}: {counted(len(spans), 'places')} {what}" if spans else f"{name}: nothing found at any time"
    marks = "".join(_mark(span, number_, kind, whole) for span, number_ in spans)
    return (f'<div class="line"><span>{name}</span><svg viewBox="0 0 {WIDE} 20" preserveAspectRatio="none" role="img" '
            f'aria-label="{label}"><rect class="film" width="{WIDE}" height="20"/>{marks}</svg></div>')


def _mark(span: tuple[int, int], check: int, kind: str, whole: int) -> str:
    a, b = (min(max(t, 0), whole) / whole * WIDE for t in span)
    wide = max(b - a, LEAST)
    x = min(a, WIDE - wide)
    drawn = (f'<rect class="{kind}" x="{x:.1f}" width="{wide:.1f}" height="20">'
             f"<title>{clock(span[0])} to {clock(span[1])}</title></rect>")
    return f'<a href="#check-{check}">{drawn}</a>' if check else drawn


def facts(audit: Audit) -> str:
    """The technical facts, one a line, sorted."""
    rows = [("file: SHA-256", audit.sha256), ("file: bytes", audit.size), ("file: frames", audit.frames), *_flat(audit.facts)]
    drawn = "".join(f'<tr><th scope="row">{said(name)}</th><td>{number(value)}</td></tr>' for name, value in rows[:MOST_FACTS])
    rest = len(rows) - MOST_FACTS
    more = f'<p class="faint">And {rest:,} more, in the .audit.json.</p>' if rest > 0 else ""
    return f'<div class="scroll"><table class="figures facts">{drawn}</table></div>{more}'


def _flat(held: Mapping[str, Any], head: str = "") -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for name, value in sorted(held.items(), key=lambda item: str(item[0])):
        path = f"{head}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            out += _flat(value, f"{path}: ")
        else:
            out.append((path, ", ".join(map(str, value)) if isinstance(value, list | tuple) else value))
    return out
