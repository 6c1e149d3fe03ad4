"""The audit as one page for whoever made the film: the verdict, what to do, what was looked at, and what nobody can tell.

It holds all it needs, asks no network for anything, and runs no script; pictures are of the finished file only.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from facedouble.audit.verdict import GROUPS, Audit, Check
from facedouble.pipeline.audit.about import About
from facedouble.pipeline.audit.moments import moments
from facedouble.pipeline.audit.page_parts import (
    command,
    counted,
    facts,
    figures,
    findings,
    lasting,
    named,
    outcome,
    photos,
    plainly,
    prose,
    said,
    sign,
    state,
    strip,
    thumbnail,
    told,
)
from facedouble.pipeline.audit.page_style import STYLE
from facedouble.pipeline.audit.steps import Problem, Step, again, problems
from facedouble.types import Box

ASKED: Final = {
    "seen": ("The picture", "Can a face be seen that should not be, or be recognised?"),
    "attacked": ("Attackers who have this tool", "Can somebody who knows facedouble, and has other footage, find the witness?"),
    "heard": ("The sound", "Can the witness's voice be heard or recognised, or a name?"),
    "container": ("The file", "Is anything in the file besides the picture and the sound?"),
}
LISTED, PLACES, ALSO = 6, 3, 3  # problems on the first screen, and of each how many places and sentences
VERDICTS: Final = {"found": "Do not publish this file", "open": "Not finished: do not publish this file yet",
                   "passed": "Nothing was found"}
HEADINGS: Final = {"found": "What was found, and what to do", "open": "What is missing, and what to do",
                   "passed": "What to do next"}
CAPITALS: Final = "In the lines to type, words in CAPITALS are yours to replace."
PRIVATE: Final = "Keep this page as you keep the footage: its pictures may show what must not be seen."
ERRING: Final = "A program may be wrong: look at the place. If in doubt, cover it."
PEOPLE: Final = "P1, P2 and so on are people, as the plan numbers them."
GLOSSARY: Final = {
    "likeness, correlation": "How like two faces, voices or sounds are: near 0 they share nothing, at 1 they are the same. "
                             "Most have to stay under their limit; how like a face is to its own double has to stay above.",
    "rank": "Where the witness stands when everybody in the line-up is put in order, likeliest first. 1: found at once.",
    "equal error rate (EER)": "How often an attacker errs, both ways alike. 50 %: he knows nothing. 0 %: he is always right.",
    "AUC": "How often the right one of two looks likelier. 0.5: as a coin does. 1: always.",
    "false match": "A stranger is taken for the witness. The limits are set by how often that happens to a program.",
}


def page(audit: Audit, pictures: Mapping[tuple[int, Box | None], bytes], about: About) -> str:
    """The whole page. pictures: JPEGs of the output by frame and box, as `pictures.pictures` makes them."""
    kind = verdict(audit)
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    return "".join([
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><meta name="referrer" content="no-referrer">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{VERDICTS[kind]}: {said(about.title)}</title><style>{STYLE}</style></head>\n<body>",
        _head(audit, about, kind),
        f'<main><div class="first for-{kind}">', _next(audit, pictures, about, kind), _glance(audit, about), _limits(audit),
        "</div>\n",
        _where(audit, about),
        '<section id="checks"><h2>What was tried, on what, and what came of it</h2>',
        '<p class="faint">All pictures are of the finished film, never of the footage.</p>',
        *(_group(audit, group, pictures, about) for group in GROUPS), "</section>\n", _remains(audit),
        _glossary(),
        '<section><h2>For technicians</h2><p class="faint">The file that was looked at, the models, limits and versions. The '
        f"same file, looked at in the same way, gives the same page.</p>{facts(audit)}</section></main></body></html>\n"])


def verdict(audit: Audit) -> str:
    """Of `VERDICTS`: what was found counts before what could not be tried."""
    return "passed" if audit.passed else "found" if audit.findings else "open"


def _head(audit: Audit, about: About, kind: str) -> str:
    size = f"{audit.size / 1e6:,.1f} MB" if audit.size >= 100_000 else f"{audit.size:,} bytes"
    length = f"{lasting(about.at(audit.frames))} long"
    return (f'<header class="verdict {kind}">{sign(kind)}<div><h1>{VERDICTS[kind]}</h1><p>{_lead(audit, about, kind)}</p>'
            f'<p class="faint">Audit of <bdi>{said(about.title)}</bdi>, {length}, {counted(audit.frames, "frames")}, {size}</p>'
            "</div></header>\n")


def _lead(audit: Audit, about: About, kind: str) -> str:
    """The sentence below the verdict."""
    found, open_ = len(moments(audit, about)), sum(bool(c.missing and c.needed) for c in audit.checks)
    could = f"{open_} check{' could' if open_ == 1 else 's could'} not run"
    if kind == "found":
        return (f"<b>{found:,} thing{' was' if found == 1 else 's were'} found</b> that must not be in it"
                + (f", and {could}." if open_ else "."))
    if kind == "open":
        return (f"<b>{could if open_ else 'No check was run'}.</b> What was not looked at may hold anything."
                + (" In what was looked at, nothing was found." if len(audit.checks) > open_ else ""))
    states = [state(c) for c in audit.checks]
    left = f", {states.count('left')} not tried" if "left" in states else ""
    rest = "what has no limit stands below" if "noted" in states else "some things no program can tell"
    return ("<b>That does not mean that nobody can recognise the witness.</b> "
            f"{states.count('passed')} checks found no trace{left}; {rest}.")


def _next(audit: Audit, pictures: Mapping[tuple[int, Box | None], bytes], about: About, kind: str) -> str:
    held = problems(audit, about)
    items = [_problem(p, thumbnail(p, audit, pictures), about) for p in held[:LISTED]]
    if len(held) > LISTED:
        items.append(f'<li>And {len(held) - LISTED:,} more: <a href="#checks">each stands with its check</a>.</li>')
    items += [f'<li><b class="what">Could not run: {named(c)}</b>{prose(c.missing)}</li>'
              for c in audit.checks if c.missing and c.needed]
    items += [_step(step) for step in (_last(about, kind) if kind != "passed" else _well(audit, about))]
    people = f" {PEOPLE}" if about.clip and any(f.person for _, f in audit.findings) else ""
    note = f'<p class="faint">{CAPITALS}{people}</p>' if held else ""
    note += f'<p class="faint">{ERRING}<br>{PRIVATE}</p>' if held else ""
    return f'<section id="next"><h2>{HEADINGS[kind]}</h2><ol class="steps">{"".join(items)}</ol>{note}</section>'


def _problem(problem: Problem, picture: str, about: About) -> str:
    first = problem.moments[0]
    words = list(dict.fromkeys(f.what for m in problem.moments for f in m.findings))
    also = " ".join(prose(what) for what in words[1:ALSO]) + (f" And {len(words) - ALSO} more." if len(words) > ALSO else "")
    rest = len(problem.moments) - PLACES
    where = dict.fromkeys(f'<a href="#check-{m.number}">{said(about.place(m.whole))}</a>' for m in problem.moments[:PLACES])
    timed = about.ms(first.whole) is not None
    places = "; ".join(where) + (f"; and in {counted(rest, 'other places')}" if rest > 0 and timed else "")
    return (f'<li>{picture}<b class="what">{prose(words[0])}</b><span class="where">{places}</span>'
            + (f'<div class="faint">{also}</div>' if also else "")
            + f"<div>{prose(problem.remedy.text)}</div>{_commands(problem.remedy)}</li>")


def _step(step: Step) -> str:
    return f"<li>{prose(step.text)}{_commands(step)}</li>"


def _commands(step: Step) -> str:
    return "".join(map(command, step.commands))


def _last(about: About, kind: str) -> list[Step]:
    """What comes after all that was found or missing."""
    if kind == "open":
        return [Step("Then audit this file again, with the same words as before.")]
    new = "is audited by itself and gets a page of its own: this one is about this file only."
    return [Step(f"When all of this is done, make the film again. It {new}" if about.clip else f"The new film {new}",
                 (again(about),) if about.clip else ())]


def _well(audit: Audit, about: About) -> list[Step]:
    """What is to be done where nothing stands against the file."""
    out = [Step("Watch all of it, at full size, and listen to all of it, best with somebody who knows the witness. No program "
                "replaces that."),
           Step("Go through what nobody tested with the witness, and let them decide.")]
    if about.covered:
        places = "1 place was" if len(about.covered) == 1 else f"{len(about.covered):,} places were"
        out.insert(0, Step(f"Look at what was covered: an earlier version of this film did not pass, so {places} covered, and "
                           "drawn again. The strip below shows where."))
    if any(state(c) == "noted" and c.group == "attacked" for c in audit.checks):
        out.append(Step("Read what attackers who have this tool could tell: no limit is set for them, because hair, skin and the "
                        "way of moving stay. If they know the witness and the risk is high, veil the face."))
    lacking: dict[str, list[str]] = {}
    for check in audit.checks:
        if check.missing:
            lacking.setdefault(check.missing, []).append(f"“{check.name}”")
    out += [Step(f"Not tried: {', '.join(names)}. {why[:1].upper()}{why[1:]}") for why, names in lacking.items()]
    out.append(Step("This is a draft, and is not to be published: make the film without --no-audit, and publish that one."
                    if PurePath(about.title).stem.endswith(".draft") else
                    "Publish exactly this file. Whoever cuts or converts it makes another one, which nobody audited."))
    return out


def _glance(audit: Audit, about: About) -> str:
    tiles, found = [], Counter(moment.group for moment in moments(audit, about))
    for group in GROUPS:
        checks = [c for c in audit.checks if c.group == group]
        kind, words = told(checks, found[group])
        looked: dict[str, int] = {}
        for check in checks:
            if check.looked and not check.missing:
                looked[check.unit] = max(looked.get(check.unit, 0), check.looked)
        if group == "heard" and kind == "passed" and not looked:
            kind, words = "left", "there was nothing to hear in it"
        counts = ", ".join(counted(count, unit) for unit, count in plainly(looked))
        tiles.append(f'<li class="{kind}">{sign(kind)}<a href="#{group}">{ASKED[group][0]}</a><p>{words}</p>'
                     + (f'<p class="faint">looked at {counts}</p>' if counts else "") + "</li>")
    return f'<section id="glance"><h2>At a glance</h2><ul class="tiles">{"".join(tiles)}</ul></section>'


def _where(audit: Audit, about: About) -> str:
    if not audit.frames:
        return ""
    timed = any(about.ms(f) is not None for _, f in audit.findings)
    words = "A mark is where something was found; it leads to the check." if timed else "Nothing was found at any time of it."
    words += " What is marked as covered was covered by the program: look at it." if about.covered else ""
    return f'<section><h2>Where in the film</h2><p class="faint">{words}</p>{strip(audit, about)}</section>\n'


def _limits(audit: Audit) -> str:
    """The topics of what was not tested, on the first screen."""
    topics = "".join(f"<li>{said(line.partition(':')[0])}</li>" for line in audit.untested)
    return (f'<div class="limits"><b><a href="#remains">What nobody tested</a></b>, and what may still give somebody away:'
            f"<ul>{topics}</ul></div>" if topics else "")


def _group(audit: Audit, group: str, pictures: Mapping[tuple[int, Box | None], bytes], about: About) -> str:
    name, question = ASKED[group]
    checks = [(n, c) for n, c in enumerate(audit.checks, 1) if c.group == group]
    inside = "".join(_check(n, c, pictures, about) for n, c in checks) or "<p>Nothing of this was tried.</p>"
    return f'<section id="{group}"><h3>{name}</h3><p class="faint">{question}</p>{inside}</section>\n'


def _check(n: int, check: Check, pictures: Mapping[tuple[int, Box | None], bytes], about: About) -> str:
    kind = state(check)
    looked = f" Looked at {counted(check.looked, check.unit)}." if check.looked else ""
    missing = f"<p><b>Not tried.</b> {prose(check.missing)}</p>" if check.missing else ""
    return (f'<article id="check-{n}" class="check {kind}"><h4>{sign(kind)}{named(check)}<span>{outcome(check)}</span></h4>'
            f'<p class="faint">{prose(check.tried)}{looked}</p>{missing}{findings(check, about)}{photos(check, pictures, about)}'
            f"{figures(check)}</article>\n")


def _glossary() -> str:
    rows = "".join(f"<dt>{term}</dt><dd>{meaning}</dd>" for term, meaning in GLOSSARY.items())
    return f'<section><h2>What the figures mean</h2><dl>{rows}</dl></section>\n'


def _remains(audit: Audit) -> str:
    lines = []
    for line in audit.untested:
        topic, colon, rest = line.partition(":")
        lines.append(f"<li><b>{said(topic)}.</b> {prose(rest)}</li>" if colon else f"<li>{prose(line)}</li>")
    inside = (f'<ul class="remains">{"".join(lines)}</ul>' if lines else
              "<p>The audit left no list: take it that nothing else was tested.</p>")
    return f'<section id="remains"><h2>What nobody tested, and what remains</h2>{inside}</section>\n'
