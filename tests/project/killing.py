"""Kill a command, with all that it started, at a random moment or at a random change of the disk; then see what is left."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble.pipeline.digest import of_file
from facedouble.store import evidence, renders
from facedouble.store.project import Project
from facedouble.store.vault import Keys
from facedouble.store.verify import verify
from tests.project.desk import PLAN, Desk, Done, kill
from tests.project.whole import Whole
from tests.store.make import keyring_of

CHANGES: Final = "rename,link,linkat,unlink,fsync,fdatasync,mkdir"  # of the disk, at whose beginning a command can be killed
OPERATIONS: Final = ("add", "render", "approve", "release")
SHARE: Final = {"add": 15, "render": 8, "approve": 12, "release": 15}  # of 50
FOOTAGE_BYTES: Final = 6_000_000
EARLIEST, LATEST = 0.25, 0.9  # of the time that a command takes when it is watched: before, Python is loading


@dataclass(frozen=True)
class Killed:
    """One of them. at: a second, or a change of the disk; left: absent, whole, or what else; wrong: what must not be."""

    operation: str
    at: str
    left: str
    again: str
    wrong: tuple[str, ...]


class Trial:
    """One operation on a desk: how it is called, what is left of it, and whether it can be done again."""

    def __init__(self, operation: str, whole: Whole, folder: Path) -> None:
        self.operation, self.whole, self.folder = operation, whole, folder
        self.source = whole.source.with_name("large.mov")
        if operation == "add" and not self.source.exists():
            self.source.write_bytes(random.Random(1).randbytes(FOOTAGE_BYTES))
        self.times = 0
        self.desk = self.fresh()
        report = folder / f"{operation}.changes"
        started = time.monotonic()
        done = self.desk.run(*self.words, under=self._strace(report))
        self.lasts = time.monotonic() - started
        assert done.returncode == 0, done.stderr
        per = [line.split()[0] for line in report.read_text().splitlines() if "(" in line]
        self.changes = per.count(per[0])  # of the command itself, not of what it starts
        self.desk = self.fresh()

    @property
    def words(self) -> tuple[str, ...]:
        return {"add": ("add", "film", str(self.source)), "render": ("render", PLAN, "-o", "film/cut2"),
                "approve": ("approve", "film", "rose", "--every-scene", "--how", "in-person", "--by", "lin"),
                "release": ("release", "film", "-o", "out/film.mp4")}[self.operation]

    def fresh(self) -> Desk:
        """A desk of before the release."""
        self.times += 1
        place = self.folder / f"{self.operation}{self.times}"
        (place / "out").mkdir(parents=True)
        desk = Desk(self.whole.out.parent / "before", self.whole.desk.runtime).copy(place)
        if self.times > 1:
            shutil.rmtree(self.folder / f"{self.operation}{self.times - 1}")
        if self.operation == "render":
            desk.must("plan", "decide", PLAN, "P1", "hide", "--by", "ana", "--reason", "agreed")
        return desk

    def killed(self, rng: random.Random, by_change: bool) -> Killed:
        """Begin, kill, look, do it again."""
        if self.operation != "render":  # what was drawn already is not drawn again: the next one goes on from there
            self.desk = self.fresh()
        with remembering(self.desk):
            before = self.state()
        if by_change:
            n = rng.randint(1, self.changes)
            at = f"change {n} of {self.changes}"
            process = self.desk.start(*self.words, under=self._strace(None, n))
            process.communicate()
            kill(process)
        else:
            moment = self.lasts * rng.uniform(EARLIEST, LATEST)
            at = f"{moment:.2f} of {self.lasts:.2f} s"
            process = self.desk.start(*self.words)
            time.sleep(moment)
            kill(process)
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
        with remembering(self.desk):
            wrong = list(self.damage())
            left = self.state()
            again = self.desk.run(*self.words)
            wrong += self.unrepeated(again, left)
            wrong += self.damage()
            wrong += [f"left over: {path}" for path in strays(self.desk)]
            if self.operation == "render":
                self.desk = self.fresh() if self.state() else self.desk
        return Killed(self.operation, at, "as before" if left == before else left, _short(again), tuple(wrong))

    def state(self) -> str:
        """What there is of the operation's outcome, as a word; nothing if there is nothing."""
        with Project.open(self.desk.film, keyring_of(self.desk.film, "ana"), write=False) as project:
            vault = Keys(self.desk.film, project.recipient, project.keyring.identities).open()
            if self.operation == "add":
                return "whole" if len(evidence.items(project.db)) == 2 else ""
            if self.operation == "approve":
                return str(sum(entry.event == "approved" for entry in project.log.entries))
            render = renders.get(project.db)
            if self.operation == "render":
                known = "cut2/A.mp4" in vault.names()
                return ("whole" if render.file == vault.stamp("cut2/A.mp4") else "not written down") if known else ""
            film = self.desk.folder / "out" / "film.mp4"
            return ("whole" if of_file(film) == render.sha256 else "HALF") if film.exists() else ""

    def damage(self) -> Iterator[str]:
        """What does not hold any more."""
        keyring = keyring_of(self.desk.film, "ana")
        yield from verify(self.desk.film, keyring).alarms
        with Project.open(self.desk.film, keyring, write=False) as project:
            vault = Keys(self.desk.film, project.recipient, project.keyring.identities).open()
            for name in vault.names():
                if len(vault.open(name).read()) != vault.size(name):
                    yield f"{name} is cut"
        if self.state() == "HALF":
            yield "half a film at the destination"

    def unrepeated(self, again: Done, left: str) -> Iterator[str]:
        """Why the same command did not do what it should the second time."""
        if "Traceback" in again.stderr or "a bug" in again.stderr:
            yield f"again: {again.stderr}"
        papers = any((self.desk.folder / "out" / f"film.{kind}").exists() for kind in ("receipt.json", "srt"))
        if self.operation == "release" and (left or (papers and not self.state())):
            if again.returncode != 5 or "exists already" not in again.stderr:
                yield f"again, when it is there: {again.returncode} {again.stderr}"
            return
        if self.operation == "render" and left == "whole":
            if again.returncode not in (0, 5) or (again.returncode == 5 and "exists already" not in again.stderr):
                yield f"again, when it is there: {again.returncode} {again.stderr}"
            return
        if again.returncode != 0:
            yield f"again: {again.returncode} {again.stderr}"
        if self.operation != "approve" and self.state() != "whole":
            yield f"again: {self.state() or 'nothing'} is there"

    def _strace(self, report: Path | None, kill_at: int = 0) -> Sequence[str]:
        said = ["strace", "-qq", "-f", "-e", f"trace={CHANGES}", "-e", "signal=none", "-o", str(report or "/dev/null")]
        return [*said, "-e", f"inject={CHANGES}:signal=SIGKILL:when={kill_at}"] if kill_at else said


def strays(desk: Desk) -> list[Path]:
    """Hidden or half-written files, in the project or where a film goes to."""
    return [path for place in (desk.film, desk.folder / "out") for path in place.rglob("*")
            if path.name.startswith(".") or path.suffix == ".part"]


@contextmanager
def remembering(desk: Desk) -> Iterator[None]:
    """What this process sees of a project is remembered where the desk's commands remember it."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = desk.environment["XDG_STATE_HOME"]
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_STATE_HOME"]
        else:
            os.environ["XDG_STATE_HOME"] = before


def _short(again: Done) -> str:
    return "done" if again.returncode == 0 else f"{again.returncode}: {again.stderr.strip().splitlines()[-1][:90]}"


def shared_out(count: int) -> dict[str, int]:
    """So many of each operation."""
    given = {name: max(1, round(SHARE[name] * count / 50)) for name in OPERATIONS}
    given["add"] += count - sum(given.values())
    return given


def run(whole: Whole, folder: Path, given: Mapping[str, int], seed: int,
        told: Callable[[Killed], None] = lambda _: None) -> list[Killed]:
    """Kill so many commands of each operation; every second one at a change of the disk."""
    rng, found = random.Random(seed), []
    for operation, times in given.items():
        trial = Trial(operation, whole, folder)
        for k in range(times):
            found.append(trial.killed(rng, k % 2 == 1))
            told(found[-1])
    return found
