"""What the informed attackers reach on the shared data: prints tables. `.venv/bin/python bench/parrot.py --films FOLDER`

Parrot: everybody of the shared photos and clips is drawn with a mannequin and with doubles made here. Of people with several
recordings the last one is the film and the others are known; everybody else is known too. Likeness: what others have in common
who wear a double, against everybody's bare face: strangers, in two halves, the volunteer, and blends of him with somebody else.
Motion: FOLDER holds NAME.mp4, made by `protect` of the clips of the same name; the first half of each is attacked with the
second half of its footage.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.audit.motion import trace  # noqa: E402  found from any folder
from facedouble.audit.parrot import both_ways, common, guess, likeness, unit  # noqa: E402
from facedouble.doubles.blend import blend  # noqa: E402
from facedouble.doubles.file import read_double, write_double  # noqa: E402
from facedouble.doubles.mannequin import VARIANTS, mannequin  # noqa: E402
from facedouble.errors import InputRefused  # noqa: E402
from facedouble.models.landmarker import FaceMesh  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.audit.moving import CALMS, Calmed  # noqa: E402
from facedouble.pipeline.audit.parrot import BARE, Errand, Mask, Material, Parroted, draw_all  # noqa: E402
from facedouble.pipeline.audit.parroted import FACE, WHOLE, rows_of  # noqa: E402
from facedouble.pipeline.audit.run import Opening  # noqa: E402
from facedouble.pipeline.audit.sample import Sample  # noqa: E402
from facedouble.pipeline.audit.traced import windows_of  # noqa: E402
from facedouble.pipeline.double import make_double  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.types import Array, Consent, Floats, Value  # noqa: E402

NOBODY = ("various", "street", "INTEL-staff", "AzFamily2 couple", "obama+biden (repo)")
VOLUNTEERS = {"photo/df_img13.jpg": "ph-C", "photo/df_img18.jpg": "ph-E", "video/grid_id2_swwp2s.mpg": "GRID-A",
              "video/lp_d18.mp4": "v-d18", "video/sad_a.mp4": "v-sad_a"}
STRANGER = "video/grid_swiz3n.mpg"  # in the blends
SHARES = (0.7, 0.5, 0.35)
CONSENT = Consent("for a measurement", ("test",), "2000-01-01")
WINDOW = 2.0  # s


@dataclass(frozen=True)
class Worn(Value):
    """A double of the bench. whose: person it is of, "" for a mannequin; made_of: no reference for him; share: of it."""

    name: str
    whose: str
    made_of: str
    share: float
    mask: Mask


def people(data: Path) -> dict[str, list[Path]]:
    """Everybody of photos and clips, with what shows them alone."""
    with open(data / "SOURCES.tsv", newline="") as table:
        rows = [(r["file"], r["person_or_speaker"].replace("?", "")) for r in csv.DictReader(table, delimiter="\t")]
    found: dict[str, list[Path]] = {}
    for file, person in rows:
        if file.split("/")[0] in ("video", "photo") and person not in NOBODY:
            found.setdefault(person, []).append(data / file)
    return found


def doubles(data: Path, folder: Path) -> list[Worn]:
    """Mannequins, doubles of the volunteers, blends of each with a stranger."""
    eyes = open_eyes(Options())
    made = [Worn(f"mannequin {k}", "", "", 1.0, Mask(mannequin(k).id)) for k in range(VARIANTS)]

    def kept(name: str, whose: str, of: str, share: float, path: Path) -> Worn:
        return Worn(name, whose, Path(of).name, share, Mask(read_double(path).id, path))

    stranger = make_double([data / STRANGER], CONSENT, eyes, Options())
    for of, whose in VOLUNTEERS.items():
        double = make_double([data / of], CONSENT, eyes, Options())
        for share in (1.0, *SHARES):
            path = folder / f"{Path(of).stem}_{share:g}.fdouble"
            write_double(double if share == 1 else blend([double, stranger], [share, 1 - share]), path)
            made.append(kept(Path(of).stem, whose, of, share, path))
    return made


def attack_table(drawn: Sequence[Parroted], masks: Mapping[str, str]) -> list[str]:
    """Rows of the parrot's table."""
    rows = ["| worn | seen | people asked, known | first guess right | equal error rate | linkability | guessing |",
            "|" + "---|" * 7]
    for mask, name in {BARE: "nothing", **masks}.items():
        for part, seen in ((WHOLE, "as it is"), (FACE, "face alone")):
            recordings: dict[str, list[Sequence[Floats]]] = {}
            for d in drawn:
                if d.mask == mask and len(d.at):
                    recordings.setdefault(d.person, []).append(rows_of([d], part, WINDOW)[d.person])
            split = both_ways({n: [np.stack(r) for r in of] for n, of in recordings.items()})
            if split is not None:
                v = guess(*split).verdict
                rows.append(f"| {name} | {seen} | {v.people}, {v.gallery} | {v.rank1} | {v.eer} | {v.linkability} | "
                            f"{v.chance:.0%} |")
    return rows


def likeness_table(drawn: Sequence[Parroted], worn: Sequence[Worn]) -> list[str]:
    """Rows of the table of likeness: the most that strangers reach, by halves of the people, and what the volunteer reaches."""
    rows = ["| double | share | strangers at most, even | odd | the volunteer | rank | face alone: strangers, even | odd "
            "| the volunteer |", "|" + "---|" * 9]
    for one in worn:
        cells: list[str] = []
        for part in (WHOLE, FACE):
            use = [d for d in drawn if not (one.made_of and d.file == one.made_of)]
            bare, drew = (rows_of([d for d in use if d.mask == m], part, WINDOW) for m in (BARE, one.mask.id))
            both = {n: likeness(bare, drew, n) for n in sorted(bare)}
            others = [both[n].score for n in both if n != one.whose]
            own = both.get(one.whose)
            cells += [f"{max(others[::2]):.2f}", f"{max(others[1::2]):.2f}", f"{own.score:.2f}" if own else "-"]
            cells += [str(own.rank) if own else "-"] if part == WHOLE else []
        rows.append(f"| {one.name} | {one.share:g} | {' | '.join(cells)} |")
    return rows


def worn_table(drawn: Sequence[Parroted], worn: Sequence[Worn]) -> list[str]:
    """Rows: how like a double each recording is that wears it, another one, or nothing."""
    rows = ["| seen | it is worn: least, 1 %, median | another is worn: median, 99 %, most | bare: median, 99 %, most |",
            "|" + "---|" * 4]
    whole = [w.mask.id for w in worn if w.share == 1]
    for part, seen in ((WHOLE, "as it is"), (FACE, "face alone")):
        means = {m: {n: unit(unit(np.stack(r)).mean(0))
                     for n, r in rows_of([d for d in drawn if d.mask == m], part, WINDOW).items()} for m in (BARE, *whole)}
        right, wrong, bare = list[float](), list[float](), list[float]()
        for m in whole:
            for n in means[m]:
                mask = common({k: [v] for k, v in means[m].items()}, n)
                right.append(float(mask @ means[m][n]))
                bare.append(float(mask @ means[BARE][n]))
                wrong += [float(mask @ means[q][n]) for q in whole if q != m and n in means[q]]
        rows.append(f"| {seen} | {_spread(right, (0, .01, .5))} | {_spread(wrong, (.5, .99, 1))} | "
                    f"{_spread(bare, (.5, .99, 1))} |")
    return rows


def _spread(values: Sequence[float], at: Sequence[float]) -> str:
    return ", ".join(f"{v:.2f}" for v in np.quantile(values, at))


def motion_table(data: Path, films: Path) -> list[str]:
    """Rows of the motion attacker's table: halves of clips, as filmed and as protected, by how calm they are made."""
    find, _ = Opening(None, Options())()
    sample = Sample(Options().audit, True)
    footage, drawn = dict[str, list[Calmed]](), dict[str, list[Calmed]]()
    for clip in sorted((data / "video").iterdir()):
        film = films / f"{clip.stem}.mp4"
        if film.is_file():
            footage[clip.stem] = windows_of(clip, find, FaceMesh, sample)
            drawn[clip.stem] = windows_of(film, find, FaceMesh, sample)
    rows = ["| seen | calm | attacker | AUC | first guess right | people asked, known |", "|" + "---|" * 6]
    for name, seen in (("bare", footage), ("protected", drawn)):
        for calm in (0.0, *CALMS):
            for his, who in ((0.0, "does not know of it"), (calm, "calms what he knows too")):
                if calm == 0 and his == 0 and who != "does not know of it":
                    continue
                known, asked = _halves(footage, seen, his, calm)
                t = trace(known, asked)
                rows.append(f"| {name} | {calm:g} | {who if calm else '-'} | {t.auc} | {t.first:.0%} | {t.people}, {t.gallery} |")
    return rows


def _halves(footage: Mapping[str, Sequence[Calmed]], seen: Mapping[str, Sequence[Calmed]], his: float,
            ours: float) -> tuple[dict[str, list[Array]], dict[str, list[Array]]]:
    """The second half of each clip's windows is known, the first is asked about; a clip of one window is known."""
    known, asked = {}, {}
    for name, rows in footage.items():
        half = len(rows) // 2
        if rows:
            known[name] = [w[his] for w in rows[half:]]
        if half and len(seen[name]) > 1:
            asked[name] = [w[ours] for w in seen[name][: len(seen[name]) // 2]]
    return known, asked


def main() -> None:
    """Make doubles, draw everybody, attack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--films", type=Path, help="folder of protected clips, for the motion attacker")
    parser.add_argument("--only-motion", action="store_true")
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"{args.data}: the sample clips are not here; give their folder with --data")
    if not args.only_motion:
        with tempfile.TemporaryDirectory() as folder:
            worn = doubles(args.data, Path(folder))
            options = replace(Options(), audit=replace(Options().audit, attack_every=1.0))
            drawn: list[Parroted] = []
            for person, files in people(args.data).items():
                print(person, file=sys.stderr, flush=True)
                errand = Errand(((person, tuple(map(Material, files))),), tuple(w.mask for w in worn), options)
                try:
                    drawn += draw_all(errand, Opening(None, Options()))
                except InputRefused as error:
                    print(error, file=sys.stderr)
        shown = {w.mask.id: w.name for w in worn if w.name in ("mannequin 0", "grid_id2_swwp2s") and w.share == 1}
        for title, table in (("Parrot", attack_table(drawn, shown)), ("Likeness", likeness_table(drawn, worn)),
                             ("Worn", worn_table(drawn, worn))):
            print(f"\n{title}\n\n" + "\n".join(table), flush=True)
    if args.films:
        print("\nMotion\n\n" + "\n".join(motion_table(args.data, args.films)))


if __name__ == "__main__":
    main()
