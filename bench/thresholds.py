"""How often the audit's face recogniser errs, by limit: same and different people of the shared samples. `bench/thresholds.py`

SFace after CenterFace, as the audit runs them; of each photo the largest face, of each clip that of its middle frame. People are
those of SOURCES.tsv; pictures of several people, or of whom it is not sure, are left out. Pairs of one person in one clip are not
made: they would be nearly the same picture. Intervals are Wilson's of 95 %, as if pairs were independent, which those that share
a picture are not: they are too narrow. Light and dark is how the skin was filmed (`bench/skin.py`), of both pictures of a pair.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.skin import ita  # noqa: E402
from facedouble.audit.scene import Models  # noqa: E402
from facedouble.colour import picture  # noqa: E402
from facedouble.media.decode import frames, photo  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.options import AuditOptions  # noqa: E402
from facedouble.pipeline.audit.seen import PHOTOS, open_models  # noqa: E402
from facedouble.types import Bytes, Floats, Seen  # noqa: E402

SURE = 0.6  # CenterFace's score
UNSURE = ("", "various", "street", "INTEL-staff", "CISCO-vt2")  # of several people
DARK = 28.0  # degrees of the skin's typology angle, under which it counts as dark: Chardon's border of intermediate and tan


@dataclass(frozen=True)
class Sample:
    """A face: whose, from which file, what the recogniser makes of it, the angle of its skin's colour in degrees."""

    person: str
    file: str
    vector: Floats
    skin: float


def whose(data: Path) -> Iterator[tuple[str, Path]]:
    """Person and file of every sample with one person that is told."""
    with (data / "SOURCES.tsv").open(newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            person = row["person_or_speaker"]
            kind = row["file"].split("/")[0]
            if kind in ("photo", "video") and person not in UNSURE and "?" not in person and "+" not in person \
                    and "couple" not in person:
                yield person, data / row["file"]


def middle(path: Path) -> Bytes:
    """A photo, or the middle frame of a clip."""
    if path.suffix.lower() in PHOTOS:
        return photo(path)
    info = probe(path)
    count = info.frames or sum(1 for _ in frames(info))
    return picture(next(f for f in frames(info) if f.index >= count // 2))


def skin(rgb: Bytes, face: Seen) -> float:
    """Typology angle of both cheeks, between the eyes and the corners of the mouth."""
    side = max(2, round(face.box.width * 0.06))
    pixels = []
    for eye, corner in ((0, 3), (1, 4)):
        x, y = (int(v) for v in 0.45 * face.points[eye] + 0.55 * face.points[corner])
        pixels.append(rgb[max(0, y - side):y + side, max(0, x - side):x + side].reshape(-1, 3))
    return ita(np.concatenate(pixels) / 255)


def samples(data: Path, models: Models) -> tuple[list[Sample], list[str]]:
    """Faces, and the files in which none was found."""
    found, missed = [], []
    for person, path in whose(data):
        rgb = middle(path)
        faces = [f for f in models.seer(rgb) if f.score >= SURE]
        if not faces:
            missed.append(path.name)
            continue
        face = max(faces, key=lambda f: f.box.area)
        found.append(Sample(person, path.name, models.knower(rgb, face.points), skin(rgb, face)))
    return found, missed


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The interval of 95 % of a share."""
    if not total:
        return 0.0, 1.0
    z, p = 1.96, hits / total
    middle_, spread = p + z * z / (2 * total), z * np.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return float((middle_ - spread) / (1 + z * z / total)), float((middle_ + spread) / (1 + z * z / total))


def row(name: str, limit: float, chosen: Sequence[tuple[Sample, Sample]]) -> str:
    """One line of the table."""
    same = [float(a.vector @ b.vector) for a, b in chosen if a.person == b.person]
    other = [float(a.vector @ b.vector) for a, b in chosen if a.person != b.person]
    people = len({s.person for pair in chosen for s in pair})
    told = [f"{sum(v >= limit for v in other)} of {len(other)}: {share(sum(v >= limit for v in other), len(other))}",
            f"{sum(v < limit for v in same)} of {len(same)}: {share(sum(v < limit for v in same), len(same))}"]
    return f"| {name} | {people} | {limit:.3f} | {told[0]} | {told[1]} |"


def share(hits: int, total: int) -> str:
    """A share with its interval, in words."""
    low, high = wilson(hits, total)
    return f"{100 * hits / max(total, 1):.1f} % ({100 * low:.1f} to {100 * high:.1f})" if total else "–"


def table(found: Sequence[Sample], limits: Sequence[float]) -> list[str]:
    """The lines of the table."""
    pairs = list(combinations(found, 2))
    groups: dict[str, Callable[[Sample, Sample], bool]] = {
        "all": lambda a, b: True, "both light": lambda a, b: min(a.skin, b.skin) >= DARK,
        "both dark": lambda a, b: max(a.skin, b.skin) < DARK, "one of each": lambda a, b: (a.skin < DARK) != (b.skin < DARK)}
    lines = ["| pairs | people | limit | false matches | false non-matches |", "|---|---|---|---|---|"]
    for name, chosen in groups.items():
        lines += [row(name, limit, [p for p in pairs if chosen(*p)]) for limit in limits]
    return lines


def asked(what: str | None, out: str) -> argparse.Namespace:
    """The folder of the samples, which is there, and where the table goes."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--out", type=Path, default=HERE / "out" / out)
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"{given.data}: the samples are not here; give their folder with --data")
    return given


def told(lines: Sequence[str], out: Path) -> None:
    """Write a table, and print it."""
    out.parent.mkdir(exist_ok=True)
    out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def main() -> None:
    """Write the table."""
    given, o = asked(__doc__, "thresholds-faces.md"), AuditOptions()
    found, missed = samples(given.data, open_models(o))
    dark = sum(s.skin < DARK for s in found)
    lines = [f"{len(found)} faces of {len({s.person for s in found})} people, {dark} of them dark as filmed; no face found in "
             f"{', '.join(missed) or 'none'}.", "", *table(found, (o.same_second, o.same_face))]
    told(lines, given.out)


if __name__ == "__main__":
    main()
