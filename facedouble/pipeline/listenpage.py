"""The listening page: one HTML file that holds all it needs, asks no network for anything, and runs one script, by its hash."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import Final

from facedouble.types import Value
from facedouble.voice.picture import MARKS, Flag, place

LINE: Final = 10.0  # s of sound in a row of pictures
LEFT, WIDE, TALL, STRIP, AXIS = 46, 1200, 120, 20, 18  # units of a row: the scale, the pictures, the turns, the times


@dataclass(frozen=True)
class Mark(Value):
    """A turn on the page: [start, stop) in s from the page's start, whose it is, what became of it, what to listen for."""

    start: float
    stop: float
    who: str
    what: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row(Value):
    """One row: when it begins (s), how long it is, and the pictures of both sounds (WebP)."""

    start: float
    seconds: float
    before: bytes
    after: bytes


@dataclass(frozen=True)
class Page(Value):
    """All that stands on the page. start: where in the film its 0 is, s; notes: sentences on top; sounds: FLAC."""

    start: float
    seconds: float
    notes: tuple[str, ...]
    marks: tuple[Mark, ...]
    flags: tuple[Flag, ...]
    rows: tuple[Row, ...]
    before: bytes
    after: bytes


CAUTION: Final = (
    "This page holds the ORIGINAL voice. It is as private as the footage: keep it where the footage is, give it to nobody, and "
    "delete it when you have listened.",
    "A voice that sounds different to you may still be recognised by a program, or by somebody who knows the person well. What "
    "is said, and the accent, the rhythm and the melody of it, are kept on purpose.",
    "Listen to all of it once. Begin with what is listed below; programs find only some of what is wrong.")

STYLE: Final = """
:root { color-scheme: dark; }
body { margin: 0 auto; padding: 0 1.2rem 6rem; max-width: 84rem; background: #16161d; color: #e8e6e3;
  font: 16px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 1.2rem 0 .6rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
.caution { border-left: 5px solid #ffb000; background: #2a2416; padding: .5rem 1rem; border-radius: 4px; }
.caution p { margin: .35rem 0; } .caution p:first-child { font-weight: 600; }
.bar { position: sticky; top: 0; z-index: 2; display: flex; gap: .6rem; align-items: center; flex-wrap: wrap; padding: .7rem 0;
  background: #16161d; border-bottom: 1px solid #3a3a46; }
button { font: inherit; color: inherit; background: #2b2b36; border: 1px solid #4a4a58; border-radius: 6px; padding: .3rem .9rem;
  cursor: pointer; }
button:focus-visible { outline: 3px solid #7cc4ff; } button[aria-pressed=true] { color: #16161d; font-weight: 600; }
#hear-before[aria-pressed=true] { background: #ff8c66; } #hear-after[aria-pressed=true] { background: #7fd68a; }
#clock { font-variant-numeric: tabular-nums; min-width: 9em; } .keys { color: #9b99a6; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .15rem .8rem .15rem 0; vertical-align: baseline; }
th { color: #9b99a6; font-weight: normal; border-bottom: 1px solid #3a3a46; }
td button { padding: 0 .5rem; font-variant-numeric: tabular-nums; } .scroll { max-height: 16rem; overflow-y: auto; }
.warn { color: #ffb000; } .faint { color: #9b99a6; }
svg { display: block; width: 100%; margin: 0 0 .7rem; cursor: crosshair; } svg text { fill: #9b99a6; font-size: 11px; }
svg .name { fill: #16161d; font-size: 12px; font-weight: 600; } .keep { fill: #ff8c66; } .mute { fill: #8f8da0; }
.double, .revoice { fill: #7fd68a; } .none { fill: #c9b458; } .flag { fill: #ffb000; } .tick { stroke: #9b99a6; }
.cursor { stroke: #7cc4ff; stroke-width: 2; visibility: hidden; } .cursor.here { visibility: visible; }
.side { fill: #e8e6e3; paint-order: stroke; stroke: #16161d; stroke-width: 3px; font-size: 12px; }
"""

SCRIPT: Final = """
'use strict';
const sounds = { before: document.getElementById('before'), after: document.getElementById('after') };
const rows = [...document.querySelectorAll('svg')];
const clock = document.getElementById('clock'), play = document.getElementById('play');
let heard = 'after', until = Infinity;
const lead = () => sounds[heard], other = () => sounds[heard === 'before' ? 'after' : 'before'];
const told = t => Math.floor(t / 60) + ':' + (t % 60).toFixed(1).padStart(4, '0');
function hear(which) {
  const t = lead().currentTime;
  heard = which;
  for (const [name, sound] of Object.entries(sounds)) {
    sound.muted = name !== which;
    document.getElementById('hear-' + name).setAttribute('aria-pressed', name === which);
  }
  if (Math.abs(lead().currentTime - t) > 0.03) lead().currentTime = t;
  if (!other().paused && lead().paused && !lead().ended) lead().play();
}
function seek(t, stop = Infinity) {
  until = stop;
  for (const sound of Object.values(sounds)) sound.currentTime = Math.max(0, Math.min(t, sound.duration || t));
  draw();
}
function start() { for (const sound of Object.values(sounds)) if (!sound.ended || sound === lead()) sound.play(); }
function pause() { for (const sound of Object.values(sounds)) sound.pause(); }
function toggle() { if (lead().paused) { if (lead().currentTime >= until) until = Infinity; start(); } else pause(); }
function draw() {
  const t = lead().currentTime;
  clock.textContent = told(t + Number(document.body.dataset.start));
  play.textContent = lead().paused ? 'Play' : 'Pause';
  for (const row of rows) {
    const from = Number(row.dataset.start), line = row.querySelector('.cursor'), here = t >= from && t < from + LINE;
    line.classList.toggle('here', here);
    if (here) { const x = LEFT + (t - from) / LINE * WIDE; line.setAttribute('x1', x); line.setAttribute('x2', x); }
  }
}
function tick() {
  if (!lead().paused) {
    if (!other().paused && Math.abs(lead().currentTime - other().currentTime) > 0.05) other().currentTime = lead().currentTime;
    if (lead().currentTime >= until) pause();
    draw();
  }
  requestAnimationFrame(tick);
}
for (const row of rows) row.addEventListener('click', event => {
  const box = row.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * (LEFT + WIDE) - LEFT;
  seek(Number(row.dataset.start) + Math.max(0, x) / WIDE * LINE);
});
for (const go of document.querySelectorAll('button.go')) go.addEventListener('click', () => {
  pause(); seek(Math.max(0, Number(go.dataset.from)), Number(go.dataset.to)); start();
});
play.addEventListener('click', toggle);
for (const name of Object.keys(sounds)) document.getElementById('hear-' + name).addEventListener('click', () => hear(name));
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key;
  if (key === ' ') { event.preventDefault(); toggle(); }
  else if (key === '1') hear('before'); else if (key === '2') hear('after');
  else if (key === 'ArrowLeft') seek(lead().currentTime - 2); else if (key === 'ArrowRight') seek(lead().currentTime + 2);
});
for (const sound of Object.values(sounds)) { sound.addEventListener('pause', draw); sound.addEventListener('seeked', draw); }
hear('after'); draw(); tick();
""".replace("LINE", f"{LINE:g}").replace("LEFT", str(LEFT)).replace("WIDE", str(WIDE))


def html(page: Page) -> bytes:
    """The whole file."""
    script, style = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (SCRIPT, STYLE))
    policy = f"default-src 'none'; img-src data:; media-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">',
        f"<title>Listen: before and after</title><style>{STYLE}</style></head>",
        f'<body data-start="{page.start:.3f}"><h1>Listen: before and after</h1>',
        f'<div class="caution">{"".join(f"<p>{escape(line)}</p>" for line in CAUTION)}</div>',
        "".join(f"<p>{escape(note)}</p>" for note in page.notes),
        '<div class="bar"><button id="play">Play</button><button id="hear-before">Before: the original</button>',
        '<button id="hear-after">After</button><span id="clock"></span>',
        '<span class="keys">space: play, pause &nbsp; 1, 2: before, after &nbsp; arrows: 2 s back, on &nbsp; click on a picture: '
        "go there</span></div><noscript><p>The players need the script of this page.</p></noscript>",
        _flags(page), _marks(page), "<h2>Pictures of the sound</h2>",
        '<p class="faint">Above the original, below what was made of it. Time runs to the right, pitch upwards, in Hz; '
        "the brighter, the louder.</p>",
        *(_row(page, row) for row in page.rows),
    ]
    return b"".join([*(p.encode() for p in parts), _audio("before", page.before), _audio("after", page.after),
                     f"<script>{SCRIPT}</script></body></html>\n".encode()])


def _audio(name: str, sound: bytes) -> bytes:
    return f'<audio id="{name}" preload="auto" src="data:audio/flac;base64,'.encode() + base64.b64encode(sound) + b'"></audio>'


def told(seconds: float) -> str:
    """A time as it stands on the page: 1:02.5."""
    tenths = round(max(seconds, 0.0) * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _go(page: Page, start: float, stop: float, early: float = 0.0) -> str:
    return (f'<button class="go" data-from="{max(start - early, 0):.3f}" data-to="{stop + early:.3f}">'
            f"{told(page.start + start)}</button>")


def _flags(page: Page) -> str:
    listed = [*page.flags, *(Flag(m.start, m.stop, f) for m in page.marks for f in m.flags)]
    rows = "".join(f"<tr><td>{_go(page, f.start, f.stop, 0.5)}</td><td>{f.stop - f.start:.1f} s</td><td>{escape(f.why)}</td></tr>"
                   for f in sorted(listed, key=lambda f: (f.start, f.stop)))
    if not rows:
        return "<h2>Listen here first</h2><p>Nothing stood out to the program. Listen to all of it.</p>"
    return (f'<h2>Listen here first</h2><div class="scroll"><table><tr><th>from</th><th>for</th><th>why</th></tr>{rows}</table>'
            "</div>")


def _marks(page: Page) -> str:
    rows = "".join(f"<tr><td>{_go(page, m.start, m.stop)}</td><td>{m.stop - m.start:.1f} s</td><td>{escape(m.who)}</td>"
                   f"<td>{escape(m.what)}</td></tr>" for m in page.marks)
    if not rows:
        return ""
    return ('<h2>Who speaks</h2><div class="scroll"><table><tr><th>from</th><th>for</th><th>who</th><th>what is heard</th></tr>'
            f"{rows}</table></div>")


def _row(page: Page, row: Row) -> str:
    high = STRIP + 2 * TALL + 4 + AXIS
    wide = round(row.seconds / LINE * WIDE, 1)
    tops = STRIP, STRIP + TALL + 4
    parts = [f'<svg viewBox="0 0 {LEFT + WIDE} {high}" data-start="{row.start:.3f}" role="img" aria-label="sound from '
             f'{told(page.start + row.start)}">']
    parts += [_box(m, row) for m in page.marks if m.start < row.start + LINE and m.stop > row.start]
    for top, name, held in zip(tops, ("before", "after"), (row.before, row.after), strict=True):
        parts.append(f'<image x="{LEFT}" y="{top}" width="{wide}" height="{TALL}" preserveAspectRatio="none" '
                     f'href="data:image/webp;base64,{base64.b64encode(held).decode()}"/>'
                     f'<text class="side" x="{LEFT + 6}" y="{top + 14}">{name}</text>')
        for hertz in MARKS:
            y = round(top + TALL * (1 - place(hertz)), 1)
            words = f"{hertz // 1000}k" if hertz >= 1000 else str(hertz)
            parts.append(f'<line class="tick" x1="{LEFT - 5}" x2="{LEFT}" y1="{y}" y2="{y}"/>'
                         f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{words}</text>')
    for f in page.flags:
        a, b = max(f.start, row.start), min(f.stop, row.start + row.seconds)
        if b > a:
            parts.append(f'<rect class="flag" x="{_x(a, row)}" y="{high - AXIS - 3}" width="{max((b - a) / LINE * WIDE, 2):.1f}" '
                         'height="4"/>')
    for second in range(int(row.seconds) + 1):
        x = _x(row.start + second, row)
        parts.append(f'<line class="tick" x1="{x}" x2="{x}" y1="{high - AXIS}" y2="{high - AXIS + 4}"/>')
        if second % 2 == 0 and second < LINE:
            parts.append(f'<text x="{x}" y="{high - 2}">{told(page.start + row.start + second)}</text>')
    parts.append(f'<line class="cursor" x1="0" x2="0" y1="0" y2="{high - AXIS}"/></svg>')
    return "".join(parts)


def _x(second: float, row: Row) -> float:
    return round(LEFT + (second - row.start) / LINE * WIDE, 1)


def _box(m: Mark, row: Row) -> str:
    kind = m.what.split(" ")[0] if m.what.split(" ")[0] in ("keep", "mute", "double", "revoice") else "none"
    a, b = _x(max(m.start, row.start), row), _x(min(m.stop, row.start + LINE), row)
    words = f"{m.who}: {m.what}"[: max(int((b - a) / 7), 0)]
    return (f'<rect class="{kind}" x="{a}" y="1" width="{max(b - a - 1, 1):.1f}" height="{STRIP - 4}" rx="3"/>'
            f'<text class="name" x="{a + 4}" y="{STRIP - 6}">{escape(words)}</text>')
