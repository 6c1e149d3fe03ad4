"""What the shape of the drawn face gives away: prints a table. `.venv/bin/python bench/linkage.py`

An attacker has other footage of everybody (the first part of each clip, undisguised) and looks at the second part with the
double's face: from landmarks of that film he takes its neutral shape, as `faces/fit.py` would, aligns it with everybody's neutral
shape (scaled Procrustes) and ranks them by the distance left. Three attacks: the distance as it is; per coordinate, over its
spread among the people; and the same by one who knows the double and has seen it play all the others, so that he takes off what
all films with that double have in common. The same attacks on the undisguised second part say how strong they are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import facedouble.pipeline.analyse as analysing  # noqa: E402  found from any folder
from bench.clips import part  # noqa: E402
from bench.motion import interval, ranks  # noqa: E402
from bench.skin import people  # noqa: E402
from facedouble.doubles.file import read_double  # noqa: E402
from facedouble.doubles.mannequin import mannequin  # noqa: E402
from facedouble.faces.fit import Fit  # noqa: E402
from facedouble.faces.reading import Reading  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.morphable.pose import similarity  # noqa: E402
from facedouble.morphable.semantics import least_cost, rest_cost_of  # noqa: E402
from facedouble.morphable.topology import topology  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.pipeline.render import Voice, render  # noqa: E402
from facedouble.types import CODE, MESH_POINTS, Array, Double  # noqa: E402

FRAMES = 60  # at most, of each part
LEAST = 20  # frames of a face, in either part
DRAWN = 0.5  # share of them that has to be drawn as the double: elsewhere there is no face to measure
ROUNDS = 3  # of the alignment to the common mean


@contextmanager
def neutrals() -> Iterator[list[tuple[int, Array]]]:
    """While it lasts, every fit leaves its number of frames and its neutral shape (478, 3) here, found as the fit finds it."""
    found: list[tuple[int, Array]] = []
    module: Any = analysing
    plain = module.fit

    def watching(reading: Reading, *noise: float) -> Fit:
        notes = reading.notes.copy()  # asked for first: that boils down what still waits
        sample, every = list(reading.sample), reading.every
        made: Fit = plain(reading, *noise)
        n, lids = notes[::every], made.codes.numbers[::every, CODE["lids"]]
        rest = least_cost(rest_cost_of(n["gap"], n["width"], n["right_brow"], n["left_brow"], lids[:, 0], lids[:, 1], n["skew"],
                                       n["far"], made.angles[::every]))
        found.append((int(notes["seen"].sum()), np.median([sample[i] for i in rest], 0).astype(np.float64)))
        return made

    module.fit = watching
    try:
        yield found
    finally:
        module.fit = plain


def neutral(film: Path, eyes: analysing.Eyes, options: Options) -> tuple[Array | None, analysing.Analysis]:
    """Neutral shape (468, 3) of the face that is seen longest, if long enough, and the analysis."""
    with neutrals() as found:
        made = analysing.analyse(probe(film), eyes, options)
    count, shape = max(found, key=lambda f: f[0], default=(0, np.zeros((0, 3))))
    return (shape[:MESH_POINTS] if count >= LEAST else None), made


def aligned(shapes: Array) -> Array:
    """(n, 1404) shapes (n, 468, 3) turned, scaled and moved on to the mean face: generalised Procrustes from that start."""
    mean = topology().mean[:MESH_POINTS]
    out = np.array(shapes)
    for _ in range(ROUNDS):
        for i, shape in enumerate(shapes):
            s, r, t = similarity(shape, mean)
            out[i] = s * shape @ r.T + t
        mean = out.mean(0) if len(out) > 2 else mean
    flat: Array = out.reshape(len(out), -1)
    return flat


def attacks(gallery: Array, seen: Array, own: Array) -> dict[str, Array]:
    """Normalised ranks of the right person by attack; gallery (n, 468, 3), seen (m, 468, 3) of number own (m,) of the gallery."""
    flat = aligned(np.concatenate([gallery, seen]))
    known, shown = flat[: len(gallery)], flat[len(gallery) :]
    spread = known.std(0) + 1e-3
    others = np.stack([np.delete(shown, i, 0).mean(0) for i in range(len(shown))])
    middle = np.stack([np.delete(known[own], i, 0).mean(0) for i in range(len(own))])
    return {"distance": ranks(known, shown, own, np.ones(known.shape[1])), "over spread": ranks(known, shown, own, spread),
            "knows the double": ranks(known, shown - others + middle, own, spread)}


def main() -> None:
    """Cut, protect, read again, rank."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--double", type=Path, help="a .fdouble; without it the first mannequin")
    parser.add_argument("--person", help="whose double it is, as SOURCES.tsv has it: left out")
    parser.add_argument("--save", type=Path, help="write the shapes there (.npz) for other attacks; never commit them")
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"{args.data}: the sample clips are not here; give their folder with --data")
    double: Double = read_double(args.double) if args.double else mannequin(0)
    options = Options()
    eyes, whose = open_eyes(options), people(args.data)
    first: dict[str, Array] = {}
    plain: dict[str, Array] = {}
    drawn: dict[str, Array] = {}
    for clip, person in whose.items():
        if person in first or person == args.person:
            continue
        with tempfile.TemporaryDirectory() as place:
            source, one, two, out = (args.data / "video" / clip, *(Path(place) / f"{n}.mp4" for n in ("one", "two", "out")))
            count = sum(1 for _ in frames(probe(source)))
            half = min(count // 2, FRAMES)
            part(source, one, 0, half)
            part(source, two, count - half, half)
            before, _ = neutral(one, eyes, options)
            after, made = neutral(two, eyes, options)
            if before is None or after is None:
                continue
            first[person], plain[person] = before, after
            role = max((r for r in made.roles if r.fit is not None), key=lambda r: len(r.weights))
            if (role.weights >= 1).mean() < DRAWN:
                continue
            render(made, out, double, Voice(), options)
            shape, _ = neutral(out, eyes, options)
            if shape is not None:
                drawn[person] = shape
        print(f"{clip}: {half} frames", file=sys.stderr, flush=True)
    if args.save:
        np.savez(args.save, **{f"{n} {k}": v for n, of in (("first", first), ("plain", plain), ("drawn", drawn))
                               for k, v in of.items()})
    names = list(first)
    gallery = np.stack([first[n] for n in names])
    print(f"{len(names)} people known, {len(drawn)} of them seen with {'the double' if args.double else 'the mannequin'}; "
          f"a first guess is right by chance in {1 / len(names):.0%}\n")
    print("| attack | seen | mean normalised rank | 95 % interval | first guess right |\n|" + "---|" * 5)
    for title, shown in (("undisguised", {k: plain[k] for k in drawn}), ("as the double", drawn)):
        own = np.array([names.index(k) for k in shown])
        for attack, found in attacks(gallery, np.stack(list(shown.values())), own).items():
            low, high = interval(found)
            print(f"| {attack} | {title} | {found.mean():.2f} | {low:.2f} – {high:.2f} | {(found == 0).mean():.0%} |")


if __name__ == "__main__":
    main()
