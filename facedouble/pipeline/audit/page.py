"""The audit as one page for whoever made the film: the verdict, what to do, what was looked at, and what nobody can tell.

It holds all it needs, asks no network for anything, and runs no script; pictures are of the finished file only.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

from facedouble.audit.verdict import GROUPS, Audit, Check
from facedouble.pipeline.audit.about import About
from facedouble.pipeline.audit.page_parts import (
    STATES,
    counted,
    facts,
    figures,
    findings,
    photos,
    said,
    sign,
    state,
    strip,
    told,
)
from facedouble.pipeline.audit.page_style import STYLE
from facedouble.pipeline.audit.steps import Problem, Step, problems
from facedouble.plan.times import clock
from facedouble.types import Box

ASKED: Final = {
    "seen": ("The picture", "Can a face be seen that should not be, or be recognised?"),
    "attacked": ("Attackers who have this tool", "Can somebody who knows facedouble, and has other footage, find the witness?"),
    "heard": ("The sound", "Can the witness's voice be heard or recognised, or a name?"),
    "container": ("The file", "Is anything in the file besides the picture and the sound?"),
}
LISTED: Final = 6  # problems on the first screen
VERDICTS: Final = {"found": "Do not publish this file", "open": "Not finished: do not publish this file yet",
                   "passed": "Nothing was found"}


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
        _head(audit, about, kind), '<main><div class="first">', _next(audit, about, kind), _glance(audit), "</div>\n",
        f'<section><h2>Where in the film</h2>{strip(audit, about)}</section>\n' if audit.frames else "",
        '<section id="checks"><h2>What was tried, on what, and what came of it</h2>',
        '<p class="faint">All pictures are of the finished film, never of the footage.</p>',
        *(_group(audit, group, pictures, about) for group in GROUPS), "</section>\n", _remains(audit),
        "<section><h2>For technicians</h2><p>The file that was looked at, the programs and models, the limits. The same file gives the "
        f"same page.</p>{facts(audit)}</section></main></body></html>\n"])


def verdict(audit: Audit) -> str:
    """Of `VERDICTS`: what was found counts before what could not be tried."""
    return "passed" if audit.passed else "found" if audit.findings else "open"


def _head(audit: Audit, about: About, kind: str) -> str:
    found, open_ = len(audit.findings), sum(bool(c.missing and c.needed) for c in audit.checks)
    could = f"{open_} check{' could' if open_ == 1 else 's could'} not run"
    lead = {
        "found": f"{found:,} thing{' was' if found == 1 else 's were'} found that must not be in it" + (f", and {could}" if open_ else "")
                 + ". Below stands what, where, and what to do.",
        "open": (f"{could[0].upper()}{could[1:]}. " if open_ else "No check was run. ")
                + "What was not looked at may hold anything. Nothing else was found so far.",
        "passed": f"{len([c for c in audit.checks if not c.missing])} checks looked for faces, voices and traces of the witness. That does not "
                  "mean that nobody can recognise them: see what nobody tested, and watch the film."}[kind]
    size = f"{audit.size / 1e6:,.1f} MB" if audit.size >= 100_000 else f"{audit.size:,} bytes"
    length = clock(about.at(audit.frames))[:-4]
    return (f'<header class="verdict {kind}">{sign(kind)}<div><h1>{VERDICTS[kind]}</h1><p>{lead}</p>'
            f'<p class="faint">The audit of <bdi>{said(about.title)}</bdi>, {length} long, {counted(audit.frames, "frames")}, {size}</p></div></header>\n')


def _next(audit: Audit, about: About, kind: str) -> str:
    held = problems(audit, about)
    items = [_problem(p, audit.checks[p.number - 1], about) for p in held[:LISTED]]
    if len(held) > LISTED:
        items.append(f'<li>And {len(held) - LISTED} more kinds: <a href="#checks">each stands with its check</a>.</li>')
    items += [f'<li><b class="what">{said(c.name)} could not run</b>{said(c.missing)}</li>'
              for c in audit.checks if c.missing and c.needed]
    items += [_step(step) for step in _last(audit, about, kind)]
    heading = {"found": "What was found, and what to do", "open": "What is missing, and what to do", "passed": "What to do next"}[kind]
    return f'<section id="next"><h2>{heading}</h2><ol class="steps">{"".join(items)}</ol></section>'


def _problem(problem: Problem, check: Check, about: About) -> str:
    first, rest = problem.findings[0], len(problem.findings) - 1
    where = about.place(first) + (f", and in {rest:,} other place{'s' if rest > 1 else ''}" if rest else "")
    return (f'<li><b class="what">{said(first.what)}</b><span class="where"><a href="#check-{problem.number}">{said(where)}</a></span>'
            f"<div>{said(problem.remedy.text)}</div>{_commands(problem.remedy)}</li>")


def _step(step: Step) -> str:
    return f"<li>{said(step.text)}{_commands(step)}</li>"


def _commands(step: Step) -> str:
    return "".join(f"<code>{said(line, 1000)}</code>" for line in step.commands)


def _last(audit: Audit, about: About, kind: str) -> list[Step]:
    """What is to be done at the end, whatever was found."""
    if kind != "passed":
        return [Step("Then audit the new file. This page is about this file only: another one, even one that looks the same, has a page "
                     "of its own.")]
    left = [c for c in audit.checks if c.missing]
    out = [Step("Watch all of it, at full size, and listen to all of it, best with somebody who knows the witness. No program replaces "
                "that."),
           Step("Go through what nobody tested, below, together with the witness, and let them decide."),
           Step("Publish exactly this file. Whoever cuts, converts or uploads it makes another one, which nobody audited.")]
    if about.veiled:
        places = "1 place was" if len(about.veiled) == 1 else f"{len(about.veiled):,} places were"
        out.insert(0, Step(f"Look at what was veiled: an earlier version of this film did not pass, so {places} covered and drawn "
                           "again. The strip below shows where."))
    if left:
        out.append(Step("To have more looked at: " + " ".join(f"{c.name}: {c.missing}" for c in left)))
    return out


def _glance(audit: Audit) -> str:
    tiles = []
    for group in GROUPS:
        checks = [c for c in audit.checks if c.group == group]
        kind, words = told(checks)
        looked: dict[str, int] = {}
        for check in checks:
            if check.looked and not check.missing:
                looked[check.unit] = max(looked.get(check.unit, 0), check.looked)
        counts = ", ".join(counted(count, unit) for unit, count in looked.items())
        tiles.append(f'<li class="{kind}">{sign(kind)}<a href="#{group}">{ASKED[group][0]}</a><p>{words}</p>'
                     + (f'<p class="faint">looked at {counts}</p>' if counts else "") + "</li>")
    topics = [said(line.partition(":")[0]) for line in audit.untested]
    limits = (f'<p class="limits"><a href="#remains">What nobody tested</a> and may still tell who somebody is: '
              f'{"; ".join(topics)}.</p>' if topics else "")
    return f'<section id="glance"><h2>At a glance</h2><ul class="tiles">{"".join(tiles)}</ul>{limits}</section>'


def _group(audit: Audit, group: str, pictures: Mapping[tuple[int, Box | None], bytes], about: About) -> str:
    name, question = ASKED[group]
    checks = [(n, c) for n, c in enumerate(audit.checks, 1) if c.group == group]
    inside = "".join(_check(n, c, pictures, about) for n, c in checks) or "<p>Nothing of this was tried.</p>"
    return f'<section id="{group}"><h3>{name}</h3><p class="faint">{question}</p>{inside}</section>\n'


def _check(n: int, check: Check, pictures: Mapping[tuple[int, Box | None], bytes], about: About) -> str:
    kind = state(check)
    words = f"{len(check.findings):,} found" if check.findings else STATES[kind]
    looked = f" Looked at {counted(check.looked, check.unit)}." if check.looked else ""
    body = (f"<p><b>It could not run.</b> {said(check.missing)}</p>" if check.missing else "")
    return (f'<article id="check-{n}" class="check {kind}"><h4>{sign(kind)}{said(check.name)}<span>{words}</span></h4>'
            f'<p class="faint">{said(check.tried)}{looked}</p>{body}{findings(check, about)}{photos(check, pictures, about)}'
            f"{figures(check)}</article>\n")


def _remains(audit: Audit) -> str:
    lines = []
    for line in audit.untested:
        topic, colon, rest = line.partition(":")
        lines.append(f"<li><b>{said(topic)}{colon}</b>{said(rest)}</li>" if colon else f"<li>{said(line)}</li>")
    inside = f'<ul class="remains">{"".join(lines)}</ul>' if lines else "<p>The audit left no list: take it that nothing else was tested.</p>"
    return f'<section id="remains"><h2>What nobody tested, and what remains</h2>{inside}</section>\n'
