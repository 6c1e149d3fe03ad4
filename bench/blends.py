"""Is a composite double near any of its parents? Prints a table. `.venv/bin/python bench/blends.py`

One double is made from one photo of each person of the samples of whom a double can be made; then each of them is blended
with those that come next in a drawn order, in equal parts. Everything is drawn alone, at rest, from the front. SFace (after
CenterFace, as the audit runs them) ranks each drawing against the pictures of everybody; dlib's embedding, which casts,
compares drawings with drawings, as `double check` does. The doubles themselves are the control, and so is everybody else.
Intervals are Wilson's of 95 %, as if blends were independent; those that share a parent are not.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.thresholds import asked, samples, share, told, whose  # noqa: E402
from facedouble.audit.scene import Models  # noqa: E402
from facedouble.doubles.blend import blend  # noqa: E402
from facedouble.doubles.casting import DOUBLES, apart  # noqa: E402
from facedouble.errors import InputRefused  # noqa: E402
from facedouble.options import AuditOptions, Options  # noqa: E402
from facedouble.pipeline.alone import draw_alone, resting  # noqa: E402
from facedouble.pipeline.analyse import Eyes  # noqa: E402
from facedouble.pipeline.audit.seen import PHOTOS, open_models  # noqa: E402
from facedouble.pipeline.casting import look, open_recogniser  # noqa: E402
from facedouble.pipeline.double import make_double  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.types import Consent, Double, Floats, Recogniser  # noqa: E402

CONSENT = Consent("bench", ("test",), "2000-01-01")
PARENTS = (2, 3, 5)
SEED = 5


@dataclass(frozen=True)
class Drawn:
    """A double drawn alone: of whom, SFace's vector of the drawing, dlib's embeddings (k, 128) of several."""

    parents: tuple[str, ...]
    vector: Floats
    embeddings: Floats


def doubles(data: Path, eyes: Eyes) -> dict[str, Double]:
    """A double of each person, from the first photo that will do."""
    made: dict[str, Double] = {}
    for person, path in whose(data):
        if person in made or path.suffix.lower() not in PHOTOS:
            continue
        try:
            made[person] = make_double([path], CONSENT, eyes, Options())
        except InputRefused:
            continue
    return made


def drawn(double: Double, parents: tuple[str, ...], models: Models, recognise: Recogniser) -> Drawn | None:
    """How recognisers see it; None if the detector finds no face in the drawing."""
    alone = draw_alone(resting(double))
    if alone is None:
        return None
    picture = np.round(alone[0] * 255).astype(np.uint8)
    faces = models.seer(picture)
    if not faces:
        return None
    face = max(faces, key=lambda f: f.box.area)
    return Drawn(parents, models.knower(picture, face.points), look(double, recognise).embeddings)


def likeness(one: Drawn, gallery: Mapping[str, Sequence[Floats]]) -> dict[str, float]:
    """SFace's similarity of a drawing to everybody: to the most like of their pictures."""
    return {person: max(float(one.vector @ v) for v in vectors) for person, vectors in gallery.items()}


def counted(hits: Sequence[bool]) -> str:
    """So many of so many, with its interval."""
    return f"{sum(hits)} of {len(hits)}: {share(sum(hits), len(hits))}"


def row(name: str, found: Sequence[Drawn], single: Mapping[str, Drawn], gallery: Mapping[str, Sequence[Floats]],
        limit: float) -> str:
    """One line of the table: to the nearest parent, and to everybody else."""
    nearest, others, first, accepted, near, refused = [], [], [], [], [], []
    for one in found:
        to = likeness(one, gallery)
        nearest.append(max(to[p] for p in one.parents))
        others += [v for p, v in to.items() if p not in one.parents]
        first.append(max(to, key=lambda p: to[p]) in one.parents)
        accepted.append(nearest[-1] >= limit)
        if len(one.parents) > 1:
            near.append(min(apart(one.embeddings, single[p].embeddings) for p in one.parents))
            refused.append(near[-1] < DOUBLES[0])
    drawing = f"{np.median(near):.2f}, {min(near):.2f} | {counted(refused)}" if near else "– | –"
    return (f"| {name} | {len(found)} | {np.median(nearest):.2f}, {max(nearest):.2f} | {np.median(others):.2f}, "
            f"{max(others):.2f} | {counted(accepted)} | {counted(first)} | {drawing} |")


def main() -> None:
    """Make, blend, measure, print."""
    given, o = asked(__doc__, "blends.md"), AuditOptions()
    models, eyes, recognise = open_models(o), open_eyes(Options()), open_recogniser()
    gallery: dict[str, list[Floats]] = {}
    for sample in samples(given.data, models)[0]:
        gallery.setdefault(sample.person, []).append(sample.vector)
    made = {p: d for p, d in doubles(given.data, eyes).items() if p in gallery}
    singles = {p: s for p, d in made.items() if (s := drawn(d, (p,), models, recognise))}
    order = [sorted(singles)[k] for k in np.random.default_rng(SEED).permutation(len(singles))]
    lines = [f"{len(singles)} doubles of one photo; {len(gallery)} people in the gallery, {sum(map(len, gallery.values()))} "
             "pictures.", "",
             "| | drawings | SFace to the nearest parent: median, most | to anybody else: median, most | accepted as a parent "
             f"({o.same_face:.3f}) | a parent is ranked first | dlib to the nearest parent's double: median, least | "
             f"refused by `double check` ({DOUBLES[0]:.2f}) |", "|" + "---|" * 8,
             row("doubles", list(singles.values()), singles, gallery, o.same_face)]
    for count in PARENTS:
        groups = [tuple(order[(k + n) % len(order)] for n in range(count)) for k in range(len(order))]
        mixed = [m for t in groups if (m := drawn(blend([made[p] for p in t]), t, models, recognise))]
        lines.append(row(f"blends of {count}", mixed, singles, gallery, o.same_face))
    told(lines, given.out)


if __name__ == "__main__":
    main()
