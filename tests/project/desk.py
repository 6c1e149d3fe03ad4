"""A desk with a project on it: the program as its users start it, with a home, state and temporary folder of the desk's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facedouble.store.project import Project
from tests.store.make import keyring_of

ROOT: Final = Path(__file__).resolve().parents[2]
LIMIT_S: Final = 300
PLAN: Final = "film/film.plan.toml"
FIGURE: Final = "descriptor"  # in the words of a command: the number of the descriptor that what is told can be read from

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Desk:
    """folder: where commands run; film: the project in it. runtime: where the key of the unlocked project is asked for."""

    folder: Path
    runtime: Path

    @property
    def film(self) -> Path:
        return self.folder / "film"

    @property
    def environment(self) -> dict[str, str]:
        """One process for numbers, so that the figures of a test are its own."""
        places = {"HOME": "home", "XDG_STATE_HOME": "state", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache"}
        kept = {name: said for name, said in os.environ.items() if not name.startswith("XDG_")}
        return kept | {name: str(self.folder / place) for name, place in places.items()} | {
            "XDG_RUNTIME_DIR": str(self.runtime), "PYTHONPATH": str(ROOT), "COLUMNS": "300", "OMP_NUM_THREADS": "1"}

    def start(self, *words: str, under: Sequence[str] = (), told: str | None = None, more: Mapping[str, str] | None = None,
              script: str = "", **kept: Any) -> subprocess.Popen[str]:
        """Begin a command, in a process group of its own. told: what it can read from FIGURE; script: in place of the program."""
        handed: tuple[int, ...] = ()
        if told is not None:
            out, into = os.pipe()
            os.write(into, told.encode())
            os.close(into)
            handed, words = (out,), tuple(str(out) if word == FIGURE else word for word in words)
        begin = ["-c", script] if script else ["-m", "facedouble"]
        try:
            streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | kept
            return subprocess.Popen([*under, sys.executable, *begin, *words], cwd=self.folder, text=True, pass_fds=handed,
                                    env=self.environment | dict(more or {}), start_new_session=True, **streams)
        finally:
            for descriptor in handed:
                os.close(descriptor)

    def run(self, *words: str, typed: str | None = None, **given: Any) -> Done:
        """Run a command to its end. typed: on its standard input."""
        if typed is not None:
            given["stdin"] = subprocess.PIPE
        with self.start(*words, **given) as process:
            try:
                out, err = process.communicate(typed, LIMIT_S)
            except BaseException:
                kill(process)
                raise
        return Done(process.args, process.returncode, out, err)

    def must(self, *words: str, code: int = 0, **given: Any) -> str:
        """Run a command that has to end with this code; what it said."""
        done = self.run(*words, **given)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def opened(self, write: bool = True) -> Project:
        """The project in this process; its files are not mounted."""
        return Project.open(self.film, keyring_of(self.film, "ana"), write)

    def events(self) -> list[str]:
        """What the log says was done, by the key on the desk."""
        return [line.split(": ", 1)[1].split("  ")[0] for line in self.must("log", "show", "film", "--last", "999").splitlines()]

    def sound(self) -> None:
        """It opens, each entry of its log holds, and nothing of it is half-written once somebody has worked in it again."""
        said = self.must("log", "verify", "film")
        assert "each follows the one before" in said, said

    def copy(self, folder: Path) -> Desk:
        """The same desk again, in its own folder. Its key is asked for where this one's is."""
        for name in ("film", "state", "home", "tmp", "ana.id", "ben.id", "rose.toml"):
            source = self.folder / name
            if source.is_dir():
                shutil.copytree(source, folder / name, symlinks=True)
            else:
                shutil.copy2(source, folder / name)
        return Desk(folder, self.runtime)


def kill(process: subprocess.Popen[str]) -> None:
    """The end, at once, of a command and of all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
