"""The quality table on real clips: `make bench` (`QUICK=1` for three clips and one double). Writes bench/RESULTS.md.

Every clip is analysed once and drawn with each double; the referee (`../shared/measure/score`) compares the result with the
original. Nothing it reads or draws is committed; only the figures are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facedouble.doubles.file import read_double, write_double
from facedouble.doubles.mannequin import VARIANTS, mannequin
from facedouble.errors import FacedoubleError
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, analyse
from facedouble.pipeline.casting import open_recogniser
from facedouble.pipeline.double import make_double
from facedouble.pipeline.protect import open_eyes
from facedouble.pipeline.rehearse import rehearse
from facedouble.pipeline.render import Voice, render
from facedouble.pipeline.stage import Troupe
from facedouble.types import Consent, Double

HERE = Path(__file__).resolve().parent
OUT = HERE / "out"
GROUPS = {
    "frontal talking": ["grid_bbaf2n.mpg", "grid_brbk7n.mpg", "grid_id2_swwp2s.mpg", "grid_lbax4n.mpg", "grid_lwbsza.mpg",
                        "grid_pwij3p.mpg", "grid_swiz3n.mpg", "sad_a.mp4", "vr_1.mp4", "vr_3.mp4", "vr_4.mp4"],
    "expression": ["lp_d10.mp4", "lp_d12.mp4", "lp_d18.mp4", "lp_d13.mp4"],
    "small": ["lp_s13.mp4"],
    "occluded": ["asl_bird.mkv", "asl_book.mkv", "asl_learn.mkv", "asl_thanks.mkv"],
    "turning": ["cisco_zhling.mp4", "lp_s18.mp4", "lp_s20.mp4"],
    "several people": ["cisco_vt2people.mp4", "intel_three_people.mp4", "intel_two_people.mp4"],
}
DOUBLES = {"clip A": "video/lp_d18.mp4", "clip B": "video/lp_d10.mp4", "one photo": "photo/df_img7.jpg", "mannequin": ""}
SIGNALS = ("mouth", "width", "aperture_r", "aperture_l", "brow_r", "brow_l", "gaze_x", "gaze_y")
CASTING = 0.15  # SFace of double to witness above which the pair is refused beforehand (note, section 10)
QUICK = ("sad_a.mp4", "lp_d12.mp4", "asl_thanks.mkv")


@dataclass
class Row:
    """One clip with one double. Shares are of face-frames; `near` only of those with |yaw| <= 35 and a face >= 60 px."""

    clip: str
    group: str
    double: str
    doubled: float
    veiled: float
    hidden: float
    near: float | None
    bare: int
    accepted: int
    witness: float | None
    to_double: float | None
    top: float | None
    likeness: float | None
    signals: dict[str, float | None]
    blink: float | None
    pose: float | None
    jitter: list[float] | None
    flicker: float | None
    sharpness: float | None
    tone: list[float] | None
    background: float | None
    exact: bool
    container: list[str]
    fps: float


def shares(made: Analysis) -> tuple[float, float, float | None]:
    """Share of face-frames drawn as the double, veiled; and the first of the near and frontal ones only."""
    doubled = total = near = near_doubled = 0
    for role in made.roles:
        for i, w in enumerate(role.weights):
            total += 1
            doubled += w > 0
            if role.fit is None:
                continue
            step = role.track.start + i - role.fit.start
            if not 0 <= step < len(role.fit.codes):
                continue
            mesh = role.fit.outlines[step].mesh
            size = max(np.linalg.norm(mesh[234] - mesh[454]), 0.75 * np.linalg.norm(mesh[10] - mesh[152]))
            if abs(role.fit.angles[step, 0]) <= 35 and size >= 60 and role.track.faces[i].observed:
                near += 1
                near_doubled += w > 0
    return doubled / max(total, 1), 1 - doubled / max(total, 1), near_doubled / near if near else None


def score(tool: Path, original: Path, protected: Path, double: Path | None, frames: int) -> dict[str, Any]:
    """The referee's figures."""
    out = protected.with_suffix(".score")
    command = [str(tool), str(original), str(protected), "--frames", str(frames), "--out", str(out)]
    command += ["--double", str(double)] if double else []
    subprocess.run(command, check=True, capture_output=True)
    found: dict[str, Any] = json.loads((out / "score.json").read_text())
    return found


def dig(table: Any, *keys: Any) -> Any:
    """A value deep in the referee's table, or None."""
    for key in keys:
        try:
            table = table[key]
        except (KeyError, IndexError, TypeError):
            return None
    return table


def row(clip: str, group: str, name: str, made: Analysis, hidden: int, s: dict[str, Any], fps: float) -> Row:
    """One line of the table from the analysis and the referee's figures."""
    doubled, veiled, near = shares(made)
    f = dig(s, "people", "0") or dig(s, "people", 0) or {}
    sface = dig(f, "identity", "sface") or {}
    return Row(clip, group, name, doubled, veiled, hidden / made.frames, near, count(s, "bare"), count(s, "accepted"),
               dig(sface, "to_witness", "mean"), dig(sface, "to_double", "mean"), dig(sface, "top1", "double"),
               dig(sface, "witness_to_double"),
               {k: dig(f, "expression", k, "r") for k in SIGNALS}, dig(f, "expression", "blink", "f1"),
               dig(f, "expression", "pose_error_deg", "debiased"), dig(f, "temporal", "jitter_percent"),
               dig(f, "temporal", "flicker_ratio"), dig(f, "quality", "sharpness_ratio"),
               dig(f, "quality", "face_neck_ciede2000"), dig(s, "background", "changed_blocks"),
               bool(dig(s, "timing", "pts_equal")),
               [x for x in dig(s, "findings") or [] if x.startswith(("container", "timing"))], fps)


def count(s: dict[str, Any], kind: str) -> int:
    """Number of frames listed as bare or accepted."""
    return int(dig(s, "coverage", kind, "frames") or 0)


def main() -> None:
    """Make doubles, protect, score, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=HERE.parents[0].parent / "shared/data")
    parser.add_argument("--frames", type=int, default=60, help="frames on which the referee measures identity")
    parser.add_argument("--doubles", nargs="*", default=list(DOUBLES), choices=list(DOUBLES))
    parser.add_argument("--clips", nargs="*", help="only these, by file name")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"{args.data}: the sample clips are not here; give their folder with --data")
    tool = args.data.parent / "measure/score"
    args.out.mkdir(parents=True, exist_ok=True)
    options, eyes, recognise = Options(), open_eyes(Options()), open_recogniser()
    doubles: dict[str, tuple[Double | Troupe, Path | None]] = {}
    for name, source in DOUBLES.items():
        if name not in args.doubles or (args.quick and name != "clip A"):
            continue
        if not source:
            doubles[name] = tuple(mannequin(n) for n in range(VARIANTS)), None
            continue
        path = args.out / f"{Path(source).stem}.fdouble"
        if not path.exists():
            write_double(make_double([args.data / source], Consent("bench", ("test",), "2026-01-01"), eyes, options), path)
        doubles[name] = read_double(path), args.data / source
    for group, clips in GROUPS.items():
        for clip in clips:
            if (args.quick and clip not in QUICK) or (args.clips and clip not in args.clips):
                continue
            todo = [n for n, (_, source) in doubles.items() if (source is None or source.name != clip)
                    and not (args.out / f"{Path(clip).stem}__{n.replace(' ', '_')}.json").exists()]
            if not todo:
                continue
            try:
                info = probe(args.data / "video" / clip)
                made = analyse(info, eyes, options)
                for name in todo:
                    double, film = doubles[name]
                    target = args.out / f"{Path(clip).stem}__{name.replace(' ', '_')}.mp4"
                    target.unlink(missing_ok=True)
                    start = time.perf_counter()
                    staged = rehearse(made, double, options, recognise)
                    report, _ = render(staged, target, double, Voice(), options)
                    fps = made.frames / (time.perf_counter() - start)
                    figures = score(tool, args.data / "video" / clip, target, film, args.frames)
                    line = row(clip, group, name, staged, len(report.hidden), figures, fps)
                    target.with_suffix(".json").write_text(json.dumps(asdict(line)))
                    print(clip, name, f"doubled {line.doubled:.3f} bare {line.bare} accepted {line.accepted}", flush=True)
            except (FacedoubleError, subprocess.CalledProcessError) as error:
                print(clip, "failed:", error, flush=True)
    subprocess.run([sys.executable, str(HERE / "table.py"), str(args.out)], check=True)


if __name__ == "__main__":
    main()
