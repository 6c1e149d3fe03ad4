"""The quality table on real clips: `make bench` (`QUICK=1` for three clips and one double). Writes bench/RESULTS.md if run whole.

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

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.skin import measure as skins  # noqa: E402  found from any folder
from facedouble.doubles.file import read_double, write_double  # noqa: E402
from facedouble.doubles.mannequin import VARIANTS, mannequin  # noqa: E402
from facedouble.errors import FacedoubleError  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.analyse import Analysis, Eyes, analyse  # noqa: E402
from facedouble.pipeline.casting import open_recogniser  # noqa: E402
from facedouble.pipeline.double import make_double  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.pipeline.rehearse import rehearse  # noqa: E402
from facedouble.pipeline.render import Voice, render  # noqa: E402
from facedouble.pipeline.report import Report  # noqa: E402
from facedouble.pipeline.stage import Troupe  # noqa: E402
from facedouble.types import Consent, Double  # noqa: E402

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
    """One clip with one double. Shares are of face-frames; `near` only of those with |yaw| <= 35 and a face >= 60 px.

    near_frames, near_doubled and wide_frames, wide_doubled: face-frames so near and frontal, and with |yaw| <= 45 and a face
    >= 50 px, and how many of them are drawn as the double; near_fading, wide_fading: how many more while it fades, under a veil
    in part. Doubled, fading and veiled are what was drawn, not what was meant. skin: ITA in degrees (`bench/skin.py`).
    """

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
    near_frames: int
    near_doubled: int
    wide_frames: int
    wide_doubled: int
    fading: float
    near_fading: int
    wide_fading: int
    skin: float | None


@dataclass
class Shares:
    """Face-frames: all, near and frontal (|yaw| <= 35, >= 60 px), wide (|yaw| <= 45, >= 50 px); those drawn wholly as the double,
    and those in which it fades. Yaw is as read: a head that is read at 45 degrees is turned by about 53.

    What no landmarks were found for has neither yaw nor size, and counts only among all: faces under three quarters of
    `FitOptions.min_face`, and runs before the first sighting or after the last. Gaps in between have interpolated ones.
    """

    total: int = 0
    doubled: int = 0
    fading: int = 0
    near: int = 0
    near_doubled: int = 0
    near_fading: int = 0
    wide: int = 0
    wide_doubled: int = 0
    wide_fading: int = 0

    def ratio(self) -> float | None:
        """Share of the near and frontal that is wholly drawn as the double."""
        return self.near_doubled / self.near if self.near else None


def shares(made: Analysis, report: Report) -> Shares:
    """Count face-frames: of the analysis, as the report says they were drawn."""
    s = Shares()
    for role in made.roles:
        drawn = np.array(role.weights)
        for span in report.spans:
            if span.person is None or (span.person == role.track.id and span.why.startswith("veiled")):
                drawn[max(span.start - role.track.start, 0) : max(span.stop - role.track.start, 0)] = 0
        whole, fading = drawn >= 1, (drawn > 0) & (drawn < 1)
        s.total, s.doubled, s.fading = s.total + len(drawn), s.doubled + int(whole.sum()), s.fading + int(fading.sum())
        for i in range(len(drawn)):
            if role.fit is None:
                continue
            step = role.track.start + i - role.fit.start
            if not 0 <= step < len(role.fit.codes):
                continue
            mesh = role.fit.outlines[step].mesh
            size = max(np.linalg.norm(mesh[234] - mesh[454]), 0.75 * np.linalg.norm(mesh[10] - mesh[152]))
            yaw = abs(role.fit.angles[step, 0])
            if not role.track.faces[i].observed:
                continue
            if yaw <= 35 and size >= 60:
                s.near, s.near_doubled, s.near_fading = s.near + 1, s.near_doubled + int(whole[i]), s.near_fading + int(fading[i])
            if yaw <= 45 and size >= 50:
                s.wide, s.wide_doubled, s.wide_fading = s.wide + 1, s.wide_doubled + int(whole[i]), s.wide_fading + int(fading[i])
    return s


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


def row(clip: str, group: str, name: str, made: Analysis, report: Report, s: dict[str, Any], fps: float,
        skin: float | None) -> Row:
    """One line of the table from the analysis, the report and the referee's figures."""
    of, hidden = shares(made, report), len(report.hidden)
    doubled, fading = of.doubled / max(of.total, 1), of.fading / max(of.total, 1)
    f = dig(s, "people", "0") or dig(s, "people", 0) or {}
    sface = dig(f, "identity", "sface") or {}
    return Row(clip, group, name, doubled, 1 - doubled - fading, hidden / made.frames, of.ratio(), count(s, "bare"),
               count(s, "accepted"), dig(sface, "to_witness", "mean"), dig(sface, "to_double", "mean"),
               dig(sface, "top1", "double"), dig(sface, "witness_to_double"),
               {k: dig(f, "expression", k, "r") for k in SIGNALS}, dig(f, "expression", "blink", "f1"),
               dig(f, "expression", "pose_error_deg", "debiased"), dig(f, "temporal", "jitter_percent"),
               dig(f, "temporal", "flicker_ratio"), dig(f, "quality", "sharpness_ratio"),
               dig(f, "quality", "face_neck_ciede2000"), dig(s, "background", "changed_blocks"),
               bool(dig(s, "timing", "pts_equal")),
               [x for x in dig(s, "findings") or [] if x.startswith(("container", "timing"))], fps,
               of.near, of.near_doubled, of.wide, of.wide_doubled, fading, of.near_fading, of.wide_fading, skin)


def count(s: dict[str, Any], kind: str) -> int:
    """Number of frames listed as bare or accepted."""
    return int(dig(s, "coverage", kind, "frames") or 0)


def made_once(source: Path, folder: Path, eyes: Eyes, options: Options) -> Double:
    """The double of a clip or photo, from the folder if it lies there."""
    path = folder / f"{source.stem}.fdouble"
    if not path.exists():
        write_double(make_double([source], Consent("bench", ("test",), "2026-01-01"), eyes, options), path)
    return read_double(path)


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
        doubles[name] = made_once(args.data / source, args.out, eyes, options), args.data / source
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
                    line = row(clip, group, name, staged, report, figures, fps,
                               skins([clip], args.data, args.out)[clip])
                    target.with_suffix(".json").write_text(json.dumps(asdict(line)))
                    print(clip, name, f"doubled {line.doubled:.3f} bare {line.bare} accepted {line.accepted}", flush=True)
            except (FacedoubleError, subprocess.CalledProcessError) as error:
                print(clip, "failed:", error, flush=True)
    whole = not (args.quick or args.clips) and set(args.doubles) == set(DOUBLES) and args.out.resolve() == OUT
    subprocess.run([sys.executable, str(HERE / "table.py"), str(args.out), str(args.data), *([] if whole else ["--print"])],
                   check=True)


if __name__ == "__main__":
    main()
