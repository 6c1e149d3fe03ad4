"""How the page looks: light and dark, wide and narrow, on paper. Every pair of ink and paper has a contrast of 4.5 or more."""

from __future__ import annotations

from typing import Final

LIGHT: Final = {"paper": "#ffffff", "ink": "#1b1b1f", "faint": "#55555f", "card": "#f4f3f0", "line": "#c9c7c1", "link": "#0b4f9e",
                "found": "#a3161d", "found-paper": "#fdeceb", "open": "#7a4d00", "open-paper": "#fdf3dc",
                "passed": "#1c6330", "passed-paper": "#e7f4e9", "left": "#55555f", "mark-ink": "#ffffff"}
DARK: Final = {"paper": "#16161a", "ink": "#eceae6", "faint": "#a9a7b3", "card": "#222228", "line": "#4a4a55", "link": "#8cc1ff",
               "found": "#ff9c94", "found-paper": "#3a1a1b", "open": "#f5c15c", "open-paper": "#372a10",
               "passed": "#8bd69b", "passed-paper": "#16301c", "left": "#a9a7b3", "mark-ink": "#16161a"}


def _names(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


STYLE: Final = f"""
:root {{ color-scheme: light dark; {_names(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_names(DARK)} }} }}
@media print {{ :root {{ color-scheme: light; {_names(LIGHT)} }} }}
""" + """
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 16px/1.45 system-ui, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, h4, p, figure, ol, ul { margin: 0; }
h1 { font-size: 1.9rem; line-height: 1.15; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1.1rem; margin: 1.6rem 0 .2rem; } h4 { font-size: 1rem; }
a { color: var(--link); } a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.faint, figcaption, caption { color: var(--faint); }
.sign { width: 1.15em; height: 1.15em; flex: none; vertical-align: -.2em; }
.sign path, .sign circle { fill: currentColor; }
.sign .ink { fill: none; stroke: var(--mark-ink); stroke-width: 3; stroke-linecap: round; }
.found { color: var(--found); } .open { color: var(--open); } .noted { color: var(--open); }
.passed { color: var(--passed); } .left { color: var(--left); }
.verdict { display: flex; gap: 1rem; align-items: center; margin: 1rem 0; padding: .9rem 1.2rem; border-radius: 10px;
  border: 2px solid currentColor; }
.verdict > .sign { width: 3.6rem; height: 3.6rem; }
.verdict p { color: var(--ink); margin-top: .25rem; } .verdict .faint { color: var(--faint); font-size: .9rem; }
.verdict.found { background: var(--found-paper); } .verdict.open { background: var(--open-paper); }
.verdict.passed { background: var(--passed-paper); }
.first { display: grid; gap: 0 2rem; grid-template: "next glance" auto "limits glance" 1fr / minmax(0, 1.35fr) minmax(0, 1fr); }
.first.for-found { grid-template-areas: "next glance" "next limits"; }
#next { grid-area: next; } #glance { grid-area: glance; } .limits { grid-area: limits; align-self: start; }
.first h2 { margin: .3rem 0 .5rem; }
ol.steps { list-style: none; padding: 0; counter-reset: step; }
ol.steps > li { counter-increment: step; position: relative; padding: 0 0 .8rem 2.2rem; }
ol.steps > li::before { content: counter(step); position: absolute; left: 0; top: .05rem; width: 1.5rem; height: 1.5rem;
  border-radius: 50%; background: var(--ink); color: var(--paper); text-align: center; font-weight: 600;
  font-size: .9rem; line-height: 1.5rem; }
.thumb { float: right; width: 7.5rem; margin: .1rem 0 .3rem .8rem; }
.thumb img { width: 100%; display: block; border-radius: 4px; }
.steps code { clear: both; } .steps b.what { display: block; } .steps .where { font-size: .9rem; }
code { display: block; margin: .3rem 0; padding: .3rem .6rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 5px; font: .82rem/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
code span { display: inline-block; max-width: 100%; } code.in { display: inline-block; max-width: 100%; margin: 0; padding: 0 .25rem; font-size: .88em; }
.tiles { list-style: none; padding: 0; display: grid; gap: .5rem; }
.tiles li { display: grid; grid-template-columns: auto 1fr; gap: 0 .7rem; padding: .5rem .8rem; background: var(--card);
  border: 1px solid var(--line); border-left: 6px solid; border-radius: 7px; }
.tiles .sign { grid-row: span 3; width: 1.6rem; height: 1.6rem; margin-top: .15rem; }
.tiles a { color: inherit; font-weight: 600; } .tiles p { color: var(--ink); }
.tiles p.faint { color: var(--faint); font-size: .88rem; }
.limits { margin: .5rem 0; padding: .5rem .8rem; border: 1px dashed var(--faint); border-radius: 7px; font-size: .92rem; }
.limits ul { margin-top: .2rem; padding-left: 1.1rem; columns: 2; }
.strip { margin-top: .3rem; }
.line { display: grid; grid-template-columns: 6.5rem 1fr; align-items: center; gap: .6rem; margin: .25rem 0; }
.line svg { width: 100%; height: 1.1rem; display: block; }
.line .film { fill: var(--card); stroke: var(--line); } .line .found { fill: var(--found); } .line .again { fill: var(--open); }
.ticks div { display: flex; justify-content: space-between; font-size: .8rem; color: var(--faint); }
.check { margin: .7rem 0; padding: .7rem 1rem; border: 1px solid var(--line); border-left: 6px solid; border-radius: 7px; }
.check > * { color: var(--ink); } .check h4 { display: flex; gap: .5rem; align-items: baseline; flex-wrap: wrap; }
.check h4 span { padding: 0 .5rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .85rem; font-weight: 400; }
.check p { margin-top: .2rem; } .check p.faint { color: var(--faint); }
.check.found { border-color: var(--found); } .check.open { border-color: var(--open); }
.check h4 .sign { color: var(--found); align-self: center; } .check.open h4 .sign, .check.noted h4 .sign { color: var(--open); }
.check.passed h4 .sign { color: var(--passed); } .check.left h4 .sign { color: var(--left); }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: .8rem; margin: .6rem 0; }
.photos img { width: 100%; height: auto; display: block; border-radius: 4px; }
figcaption { font-size: .85rem; margin-top: .2rem; }
figcaption b { color: var(--ink); font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; margin: .4rem 0; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1.2rem .2rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 400; }
thead th, .figures th { color: var(--faint); } .figures td { font-variant-numeric: tabular-nums; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem; } caption { text-align: left; font-size: .85rem; }
.facts { font-size: .82rem; } .facts td { font-family: ui-monospace, monospace; }
.remains { padding-left: 1.2rem; columns: 2; column-gap: 2rem; } .remains li { margin-bottom: .5rem; break-inside: avoid; }
@media (max-width: 48rem) {
  h1 { font-size: 1.45rem; } .remains { columns: 1; }
  .first, .first.for-found { grid-template: "glance" "next" "limits" / minmax(0, 1fr); gap: .6rem; }
  #glance h2, .tiles p.faint { display: none; } .tiles { grid-template-columns: 1fr 1fr; gap: .4rem; }
  .tiles li { padding: .35rem .5rem; gap: 0 .4rem; align-content: start; font-size: .9rem; line-height: 1.25; }
  .tiles .sign { width: 1.2rem; height: 1.2rem; } .thumb { width: 6rem; } .ticks span:nth-child(even) { display: none; }
  .verdict { padding: .7rem .8rem; gap: .7rem; margin: .6rem 0; } .verdict > .sign { width: 2.4rem; height: 2.4rem; }
  .line { grid-template-columns: 1fr; gap: .1rem; } .ticks > span { display: none; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; } .check, figure, .tiles li, .steps li { break-inside: avoid; }
  .verdict, .tiles li, .line svg, code, .sign, ol.steps > li::before { print-color-adjust: exact; }
  .photos { grid-template-columns: repeat(3, 1fr); } a { text-decoration: none; } .scroll { overflow: visible; }
}
"""
