"""A project that everything was done in: footage in, analysed, drawn, audited, agreed to, shown, approved, exported, released."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facedouble.models.install import default_directory
from facedouble.store.consents import TOLD
from tests.project.canary import WORDS, footage
from tests.project.desk import FIGURE, PLAN, Desk
from tests.store.make import an_identity

PHRASE: Final = "otter velvet cinnamon ladder quiet marsh"
RECORD: Final = '''language = "fr"
explained_by = "lin"
audience = "those who hunt you will see this film and stop it at every picture"
scope = ["film"]
covers = ["face", "body", "voice", "story"]
''' + "".join(f"{key} = true\n" for key in TOLD)


@dataclass(frozen=True)
class Whole:
    """desk: where it was done; source: the footage, which lies elsewhere; out: what left the project; said: by each command."""

    desk: Desk
    source: Path
    out: Path
    said: dict[str, str]


def desk_at(folder: Path, runtime: Path) -> Desk:
    """An empty one. The models are linked into its home: they hold nothing of a film."""
    for name in ("home", "state", "tmp"):
        (folder / name).mkdir()
    models = folder / "home" / ".local" / "share" / "facedouble" / "models"
    models.parent.mkdir(parents=True)
    models.symlink_to(default_directory())
    return Desk(folder, runtime)


def project_on(desk: Desk) -> None:
    """A project with two key holders, unlocked."""
    ana, ben = (an_identity(desk.folder / f"{name}.id") for name in ("ana", "ben"))
    desk.must("init", "film", "--holder", "ana", "--recipient", ana, "--machine", "warn")
    desk.must("unlock", "film", "--identity", "ana.id")
    desk.must("keys", "add", "film", "ben", "--recipient", ben)
    (desk.folder / "rose.toml").write_text(RECORD)


def everything_done(desk: Desk, elsewhere: Path) -> Whole:
    """Do it all. The footage and what comes out lie outside of the desk, so that all of the desk can be searched."""
    card, out = elsewhere / WORDS["folder"], elsewhere / "out"
    card.mkdir()
    out.mkdir()
    source, said = footage(card / f"{WORDS['file']}.mov"), {}
    project_on(desk)

    def do(name: str, *command: str, **given: Any) -> None:
        said[name] = desk.must(*command, **given)

    do("add", "add", "film", str(source), "--from-whom", "-", typed=f"{WORDS['handed']}\n")
    shelf = next(line.split("footage/")[1] for line in said["add"].splitlines() if "footage/" in line)
    do("analyse", "analyse", f"film/footage/{shelf}", "--plan", PLAN, "--sheet", "film/people.jpg")
    do("decide", "plan", "decide", PLAN, "P1", "veil", "--by", "ana", "--reason", "agreed")
    (card / "words.srt").write_text(f"1\n00:00:00,100 --> 00:00:00,500\n{WORDS['subtitle']}\n")
    (card / "names.toml").write_text('names = ["Zelmira", "Qxsubtitle"]\n')
    do("subtitles", "subtitles", str(card / "words.srt"), "--redact", str(card / "names.toml"), "-o", "film/cut1/A.srt")
    do("render", "render", PLAN, "-o", "film/cut1")
    do("person", "person", "add", "film", "witness", "--as", "rose", "--plan", "P1", "--by", "lin")
    do("consent", "person", "consent", "film", "rose", "--record", "rose.toml", "--secret-fd", FIGURE, "--by", "lin",
       told=f'reach = "{WORDS["reach"]}"\nreal_name = "{WORDS["real_name"]}"\n')
    do("contact", "person", "contact", "film", "rose", "--by", "lin", "--secret-fd", FIGURE, told=f'note = "{WORDS["note"]}"\n')
    do("pack", "review", "pack", "film", "rose", "-o", str(out / "rose.age"), "--passphrase-fd", FIGURE, told=PHRASE)
    do("approve", "approve", "film", "rose", "--every-scene", "--how", "pack", "--by", "lin", "--note", "--secret-fd", FIGURE,
       told=f'note = "{WORDS["yes"]}"\n')
    shutil.copytree(desk.folder, elsewhere / "before", symlinks=True)  # as it is before anything goes out
    do("release", "release", "film", "-o", str(out / "film.mp4"))
    do("export", "evidence", "export", "film", str(out / "court.age"), "--to", an_identity(elsewhere / "court.id"))
    do("evidence", "evidence", "verify", "film")
    do("verify", "log", "verify", "film")
    return Whole(desk, source, out, said)
