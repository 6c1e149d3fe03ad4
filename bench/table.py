"""Rows of `bench/run.py` -> the quality section of bench/RESULTS.md; with `--print` only on the screen."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.skin import DARK, LIGHT, measure, people  # noqa: E402  found from any folder

BEGIN, END = "<!-- quality: make bench -->", "<!-- end of quality -->"
CASTING = 0.15  # SFace of double to witness from which a pair is refused beforehand (note, section 10)
LIMITS = {"mouth": 0.95, "width": 0.90, "aperture": 0.88, "brow": 0.90, "blink": 0.85}

Row = dict[str, Any]


def middle(rows: list[Row], pick: Callable[[Row], float | None]) -> str:
    """Median over the rows that have the figure."""
    held = [v for r in rows if (v := pick(r)) is not None and np.isfinite(v)]
    return f"{np.median(held):.2f}" if held else "–"


def pair(name: str) -> Callable[[Row], float | None]:
    """Mean of the right and left signal."""
    def pick(row: Row) -> float | None:
        held = [v for side in ("r", "l") if (v := row["signals"].get(f"{name}_{side}")) is not None]
        return float(np.mean(held)) if held else None
    return pick


def signal(name: str) -> Callable[[Row], float | None]:
    """One signal's correlation."""
    return lambda row: row["signals"].get(name)


def ratio(row: Row) -> float | None:
    """Jitter of the output over that of the input."""
    return row["jitter"][1] / row["jitter"][0] if row["jitter"] and row["jitter"][0] else None


def tone(row: Row) -> float | None:
    """Colour difference of face and neck (CIEDE2000), less what it was in the original."""
    return row["tone"][1] - row["tone"][0] if row["tone"] and None not in row["tone"] else None


COLUMNS: tuple[tuple[Callable[[Row], float | None], Callable[[list[float]], float]], ...] = (  # figure, its worst
    (lambda r: r["witness"], max), (lambda r: r["to_double"], min), (lambda r: r["top"], min), (signal("mouth"), min),
    (signal("width"), min),
    (pair("aperture"), min), (pair("brow"), min), (lambda r: r["blink"], min), (signal("gaze_x"), min),
    (signal("gaze_y"), min), (lambda r: r["pose"], max), (ratio, max), (lambda r: r["flicker"], max),
    (lambda r: r["sharpness"], min), (tone, max))


def counts(rows: list[Row]) -> list[str]:
    """Pairs, shares of face-frames, and frames that should not be."""
    shares = [f"{np.mean([r[k] for r in rows]):.1%}" for k in ("doubled", "veiled", "hidden")]
    return [str(len(rows)), *shares, middle(rows, lambda r: r["near"]), str(sum(r["bare"] for r in rows)),
            str(sum(r["accepted"] for r in rows))]


def line(title: str, rows: list[Row]) -> str:
    """One line of the table: medians."""
    return "| " + " | ".join([title, *counts(rows), *(middle(rows, pick) for pick, _ in COLUMNS)]) + " |"


def worst(title: str, rows: list[Row]) -> str:
    """One line of the table: each figure of the pair that has it worst."""
    cells = []
    for pick, of in COLUMNS:
        held = [v for r in rows if (v := pick(r)) is not None and np.isfinite(v)]
        cells.append(f"{of(held):.2f}" if held else "–")
    near = [r["near"] for r in rows if r["near"] is not None]
    return "| " + " | ".join([title, "", "", "", "", f"{min(near):.2f}" if near else "–", "", "", *cells]) + " |"


def by_skin(rows: list[Row], whose: dict[str, str]) -> list[str]:
    """Lines for light, medium and dark skin as filmed, each with the number of clips and of people."""
    out = []
    for name, bounds, low, high in (
            ("light", f"> {LIGHT:.0f}°", LIGHT, np.inf), ("medium", f"{DARK:.0f}° to {LIGHT:.0f}°", DARK, LIGHT),
            ("dark", f"≤ {DARK:.0f}°", -np.inf, DARK)):
        held = [r for r in rows if r["skin"] is not None and low < r["skin"] <= high]
        clips = {r["clip"] for r in held}
        drawn = {r["clip"] for r in held if r["doubled"] > 0}
        title = f"skin {name}, ITA {bounds}: {len(clips)} clips of {len({whose[c] for c in clips})} people"
        if drawn != clips:
            title += f", drawn {len(drawn)} of {len({whose[c] for c in drawn})}"
        out += [line(title, held)] if held else []
    return out


def by_frames(rows: list[Row]) -> str:
    """Shares of frames, over all pairs that have the counts."""
    held = [r for r in rows if "wide_frames" in r]
    if not held:
        return "By frames: these rows were made before frames were counted; run bench/run.py again."
    told = []
    for name, what in (("wide", "|yaw| ≤ 45°, face ≥ 50 px"), ("near", "|yaw| ≤ 35°, face ≥ 60 px")):
        drawn, all_ = (sum(r[f"{name}_{k}"] for r in held) for k in ("doubled", "frames"))
        fading = sum(r.get(f"{name}_fading", 0) for r in held)
        told.append(f"{what}: {drawn / max(all_, 1):.1%} drawn as the double ({drawn:,} of {all_:,}), {fading:,} more fading")
    return f"By frames, {len(held)} of {len(rows)} pairs together: {'; '.join(told)}."


def quality(rows: list[Row], whose: dict[str, str]) -> str:
    """The section, with what did not pass named."""
    head = ("| | pairs | doubled | veiled | hidden | near and frontal doubled | bare | accepted | SFace witness | SFace double | "
            "double first | mouth | width | aperture | brows | blink F1 | "
            "gaze x | gaze y | pose ° | jitter ratio | flicker ratio | sharpness | tone |")
    out = [BEGIN, "", head, "|" + "---|" * 23]
    groups = list(dict.fromkeys(r["group"] for r in rows))
    out += [line(g, [r for r in rows if r["group"] == g]) for g in groups]
    core = [r for r in rows if r["group"] in ("frontal talking", "expression")]
    if core:
        out += [line("**frontal + expression**", core), worst("worst of these, each", core)]
    for double in dict.fromkeys(r["double"] for r in rows):
        out.append(line(f"double: {double}", [r for r in rows if r["double"] == double]))
    out += by_skin(rows, whose)
    out.append(line("**all**", rows))
    alike = [r for r in rows if (r["likeness"] or 0) > CASTING]
    out += ["", "Medians over pairs of clip and double; shares of face-frames; bare and accepted are frames, summed.",
            "Correlations only where the witness moves. Near and frontal: |yaw| ≤ 35°, face ≥ 60 px. Tone: difference of face "
            "and neck (CIEDE2000) less that of the original. Doubled: wholly, as drawn; what fades counts neither as doubled nor "
            "as veiled. Double first: share of frames in which SFace ranks the double first. Skin as "
            "filmed, of the largest face: exposure and coloured light count, ancestry does not (bench/skin.py).",
            "", by_frames(rows)]
    named = ", ".join(f"{r['clip']} with {r['double']} ({r['likeness']:.2f})" for r in alike)
    out.append(f"\nPairs that casting refuses beforehand (SFace of double to witness > {CASTING}): {named or 'none'}.")
    bad = [r for r in rows if (r["bare"] or r["accepted"]) and r not in alike]
    listed = ", ".join(f"{r['clip']} with {r['double']}: bare {r['bare']}, accepted {r['accepted']} (double to witness "
                      f"{r['likeness'] if r['likeness'] is not None else float('nan'):.2f})" for r in bad)
    out.append(f"\nBare or accepted frames in other pairs: {listed or 'none'}.")
    fewer = [r for r in rows if r["near"] is not None and r["near"] < 0.95]
    few = ", ".join(f"{r['clip']} with {r['double']} ({r['near']:.2f})" for r in fewer)
    out.append(f"\nPairs with under .95 of the near and frontal faces drawn as the double: {few or 'none'}.")
    late = [r["clip"] for r in rows if not r["exact"] and not r["clip"].endswith((".mkv", ".mpg"))]
    found = sorted({x for r in rows for x in r["container"]})
    out.append(f"\nFrame times not equal: {', '.join(sorted(set(late))) or 'none'} (Matroska, MPEG: ours start at 0). "
               f"Findings in containers: {'; '.join(found) or 'none'}.")
    return "\n".join([*out, "", END])


def main() -> None:
    """Read the rows, replace the section unless they are only to be shown."""
    shown = "--print" in sys.argv
    given = [Path(a) for a in sys.argv[1:] if a != "--print"]
    folder, data = given[0], given[1] if len(given) > 1 else HERE.parents[1] / "shared/data"
    rows = [json.loads(p.read_text()) for p in sorted(folder.glob("*__*.json")) if not p.name.endswith(".report.json")]
    if not rows:
        sys.exit("no rows yet")
    missing = sorted({r["clip"] for r in rows if "skin" not in r})  # rows made before it was measured
    found = measure(missing, data, folder)
    text = quality([{"skin": found.get(r["clip"]), **r} for r in rows], people(data))
    print(text)
    if shown:
        return
    page = HERE / "RESULTS.md"
    old = page.read_text() if page.exists() else f"# Measured\n\n{BEGIN}\n{END}\n"
    start, stop = old.index(BEGIN), old.index(END) + len(END)
    page.write_text(old[:start] + text + old[stop:])


if __name__ == "__main__":
    main()
