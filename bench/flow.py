"""A film on real footage as a project, from `init` to a release and a withdrawal: what each step takes, and what must hold.

Two clips of speaking people, a double made of a clip, a volunteer's voice. Every command is the program as its users start
it. Asked on the way: is a release refused before everybody has said yes, is it given afterwards, is it refused once somebody has
withdrawn; and is any piece of the footage, or of the films, in the raw bytes of the folder. What is released is kept with --keep,
for the referee's tool and for eyes.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.age.sealing import generate  # noqa: E402  found from any folder
from facedouble.store.consents import TOLD  # noqa: E402

CLIPS = ("sad_a.mp4", "grid_pwij3p.mpg")
FACE, TAKES = "video/lp_d10.mp4", 12
PIECE, PIECES = 48, 400  # bytes of a file that are looked for, and how many such pieces
PLAN = "film/film.plan.toml"
AGREED = """language = "en"
explained_by = "lin"
audience = "those who hunt you will see this film and stop it at every picture"
scope = ["film"]
covers = ["face", "body", "voice", "story"]
""" + "".join(f"{key} = true\n" for key in TOLD)
LENDS = 'mistaken = true\nstay_away = ["the region"]\n'
CONSENT = 'code = "V3"\nscope = ["film", "test"]\ndate = "2026-01-01"\n'


class Desk:
    """A folder in which commands run, with a state and a key of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "run").mkdir(mode=0o700)
        self.environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "XDG_RUNTIME_DIR": str(folder / "run"),
                            "PYTHONPATH": str(HERE.parent), "COLUMNS": "200"}

    def do(self, line: str, code: int = 0, secret: str = "") -> str:
        """Run a command that has to end with this code; prints what it took. FD in it: a descriptor that holds the secret."""
        out, into = os.pipe()
        os.write(into, secret.encode())
        os.close(into)
        words = [str(out) if word == "FD" else word for word in shlex.split(line)]
        before, start = os.times(), time.monotonic()
        done = subprocess.run([sys.executable, "-m", "facedouble", *words], cwd=self.folder, env=self.environment, text=True,
                              pass_fds=(out,), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        os.close(out)
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        print(f"| `{' '.join(line.split()[:3])}` | {done.returncode} | {time.monotonic() - start:.1f} | {cpu:.1f} |", flush=True)
        if done.returncode != code:
            raise SystemExit(f"{line}: ended with {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def pieces(path: Path) -> Iterator[bytes]:
    """From everywhere in a file; runs of one byte are in any file."""
    data, chance = path.read_bytes(), random.Random(7)
    for _ in range(PIECES):
        at = chance.randrange(len(data) - PIECE)
        piece = data[at : at + PIECE]
        if len(set(piece)) > PIECE // 4:
            yield piece


def found(folder: Path, wanted: list[bytes]) -> int:
    """How many of the pieces are in the raw bytes of any file below a folder."""
    raw = b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return sum(piece in raw for piece in wanted)


def film(desk: Desk, data: Path, keep: Path | None) -> int:
    """All of it; how many things did not hold."""
    (desk.folder / "card").mkdir()
    for name in CLIPS:
        shutil.copy2(data / "video" / name, desk.folder / "card" / name)
    identity, recipient = generate()
    for name, text in (("key.id", identity), ("rose.toml", AGREED), ("v3.toml", AGREED + LENDS), ("consent.toml", CONSENT)):
        (desk.folder / name).write_text(text + "\n")
    print("| command | exit code | s | CPU s |\n|---|---|---|---|")
    desk.do(f"init film --holder noor --recipient {recipient} --machine warn")
    desk.do("unlock film --identity key.id --minutes 600")
    try:
        return _film(desk, data, keep)
    finally:
        desk.do("lock film")


def _film(desk: Desk, data: Path, keep: Path | None) -> int:
    desk.do("add film " + " ".join(f"card/{name}" for name in CLIPS))
    desk.do("analyse " + " ".join(f"film/footage/{name}" for name in CLIPS) + f" --plan {PLAN} --sheet film/people.jpg")
    people = sorted(set(re.findall(r"\bP\d+\b", desk.do(f"plan check {PLAN}"))))
    desk.do(f"double make film/ana.fdouble {data / FACE} --consent consent.toml")
    takes = sorted((data / "speech_volunteer").glob("*.flac"))[:TAKES]
    desk.do(f"voice make film/noor.fvoice {' '.join(map(str, takes))} --consent consent.toml")
    desk.do(f"plan double {PLAN} ana film/ana.fdouble")
    desk.do(f"plan add-voice {PLAN} noor film/noor.fvoice")
    desk.do("volunteer add film --as v3 --by lin")
    desk.do("volunteer consent film v3 --record v3.toml --by lin --secret-fd FD", secret='reach = "by mail"\n')
    for file in ("ana.fdouble", "noor.fvoice"):
        desk.do(f"volunteer lend film v3 film/{file} --by lin")
    names = {person: f"w{k}" for k, person in enumerate(people, 1)}
    for k, (person, name) in enumerate(names.items()):
        desk.do(f"person add film witness --as {name} --plan {person} --by lin")
        desk.do(f"person consent film {name} --record rose.toml --by lin --secret-fd FD", secret='reach = "a friend"\n')
        face = "mannequin" if k else "'double ana'"
        desk.do(f"plan decide {PLAN} {person} {face} --by lin --reason 'agreed on'")
    desk.do(f"plan voice {PLAN} {people[0]} 'double noor' --by lin")
    renders = re.findall(r"render (r-[0-9a-f]{8})", desk.do(f"render {PLAN} -o film/cut1"))
    wrong = 0 if len(renders) == len(CLIPS) else 1
    for k, render in enumerate(renders):
        desk.do(f"release film -o early{k}.mp4 --render {render}", code=4)
        shown = desk.do(f"approvals film --render {render}", code=4)
        for name in (*names.values(), "v3"):
            if re.search(rf"\b{name}\b", shown):
                desk.do(f"review pack film {name} -o {name}-{k}.age --render {render} --passphrase-fd FD",
                        secret="otter velvet cinnamon ladder quiet marsh\n")
                desk.do(f"approve film {name} --every-scene --how pack --by lin --render {render}")
        desk.do(f"release film -o out{k}.mp4 --render {render}")
        desk.do(f"audit out{k}.mp4 --plan {PLAN} --clip {'AB'[k]}")
    desk.do("evidence verify film")
    desk.do(f"person withdraw film {names[people[0]]} --by lin")
    desk.do(f"release film -o late.mp4 --render {renders[0]}", code=4)
    desk.do("log verify film")
    left = [name for name in os.listdir(desk.folder) if re.match(r"(early|late)", name)]
    secrets = [piece for path in (*(desk.folder / "card").iterdir(), *desk.folder.glob("out*.mp4")) for piece in pieces(path)]
    hits = found(desk.folder / "film", secrets)
    print(f"\n{len(secrets)} pieces of footage and films looked for in the raw bytes of the project: {hits} found; films that "
          f"should not be there: {len(left)}")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for path in desk.folder.glob("out*"):
            shutil.copy2(path, keep)
    return wrong + hits + len(left)


def main() -> int:
    """Parse, run, say whether all of it held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--keep", type=Path, help="a folder for what was released")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="facedouble-bench-") as made:
        return 1 if film(Desk(Path(made)), given.data, given.keep) else 0


if __name__ == "__main__":
    sys.exit(main())
