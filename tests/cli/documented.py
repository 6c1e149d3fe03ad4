"""Commands of the documents that need no terminal, in groups that share no files, and a folder with what they speak of."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from facedouble.colour import picture
from facedouble.demo.witness import portrait_pixels
from facedouble.doubles.file import write_double
from facedouble.doubles.mannequin import mannequin
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.types import Array
from tests.cli.forked import run

ROOT = Path(__file__).resolve().parents[2]
CONSENT = 'code = "V3"\nscope = ["film", "trailer", "test"]\ndate = 2026-01-01\n'
# the reader runs these as they are; `make test` is what runs this, `make bench` is a long trial
NOT_HERE = re.compile(r"^make (demo|test|setup|bench|mutate|bundle)")
# pages about projects ask for secrets: test_documented.py, test_people_documented.py, test_first_card.py
ASKING = {"project.md", "people.md", "first-card-to-release.md"}
GROUPS = {"clips": ("README.md", "audit.md", "voice.md"), "doubles": ("capture-guide.md", "handbook.md", "machine.md"),
          "film": ("film.md", "plan.md")}  # a file of tests each, so that workers share them


def documented() -> dict[str, list[str]]:
    """By page, commands from its indented blocks that no page before it has."""
    found: list[str] = []
    pages: dict[str, list[str]] = {}
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if path.name in ASKING:
            continue
        for line in path.read_text().splitlines():
            match = re.match(r"^ {4}(?:\.venv/bin/)?(facedouble .*|make .*)$", line)
            if match and match[1] not in found:
                found.append(match[1])
                if not NOT_HERE.match(match[1]):
                    pages.setdefault(path.name, []).append(match[1])
    return pages


def furnish(desk: Path, witness: Path, double: Path) -> None:
    """Put the files there that the documents speak of."""
    (desk / "consent.toml").write_text(CONSENT)
    shutil.copy(witness, desk / "interview.mp4")
    still = portrait_pixels("admiral", 700)[..., ::-1]
    for name in ("portrait.png", "photo.jpg", "people/somebody.png"):
        (desk / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(desk / name), still)
    (desk / "doubles").mkdir()
    for place in (desk, desk / "doubles"):
        shutil.copy(double, place / "ana.fdouble")
        write_double(mannequin(), place / "ben.fdouble")
    moved = [cv2.warpAffine(still, np.array([[1, 0, 2 * np.sin(i)], [0, 1, np.cos(i)]], np.float32), still.shape[1::-1])
             for i in range(12)]
    for name in ("capture.mp4", "first.mp4", "second.mp4"):
        _film(desk / name, moved)
    _film(desk / "street.mp4", _street(desk, still))
    (desk / "interview.srt").write_text("1\n00:00:00,200 --> 00:00:01,800\nMy name is Khaled, of Lenina 12.\n")
    (desk / "names.toml").write_text('names = ["Khaled"]\nplaces = ["Lenina 12"]\n')
    _take(desk / "ana1.m4a")


def run_all(group: str, desk: Path) -> list[str]:
    """Run the commands of a group in their order: the first of each kind by an interpreter of its own. Which were run."""
    speech = _reading(desk / "reading.wav")
    commands = [c for page in GROUPS[group] for c in documented()[page] if speech or "noor" not in c]
    kinds = set()
    for command in commands:
        words = shlex.split(command.replace("…", "she asked for it"))[1:]
        for made in _outputs(words):
            (desk / made).unlink(missing_ok=True)
        if "analyse" in words:
            shutil.rmtree(desk / "film.notes", ignore_errors=True)
        if "install" in words:
            continue  # tests/models/test_install.py
        done = run(*words, cwd=desk, fresh=words[0] not in kinds)
        kinds.add(words[0])
        fit = (0, 6) if "--air-gap" in words else (0,)  # whoever runs the tests may be online
        assert done.returncode in fit, (command, done.stdout, done.stderr)
    return commands


def _outputs(words: list[str]) -> Iterator[str]:
    """Files that an earlier command may have made, and this one makes."""
    if words[0] == "protect":
        yield from ("safe.mp4", "safe.report.json", "safe.sheet.jpg")
    if "make" in words:
        yield from ("ana.fdouble", "ana.contact.jpg")
    if words[:2] == ["voice", "make"]:
        yield "noor.fvoice"
    if "analyse" in words:
        yield "film.plan.toml"


def _street(desk: Path, still: Array) -> list[Array]:
    """The person of the interview beside somebody else."""
    other = cv2.resize(still, (360, 360))
    return [np.hstack([cv2.resize(picture(f)[..., ::-1], (360, 360)), other]) for f in frames(probe(desk / "interview.mp4"))][:30]


def _film(path: Path, pictures: list[Array]) -> None:
    h, w = (n // 2 * 2 for n in pictures[0].shape[:2])
    with av.open(str(path), "w") as box:
        stream = box.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
        for p in pictures:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(p[:h, :w]), format="bgr24")))
        box.mux(stream.encode(None))


def _reading(path: Path) -> bool:
    """A volunteer reads for half a minute; False where espeak-ng is not installed."""
    program = shutil.which("espeak-ng")
    if program is not None:
        text = ("The north wind and the sun were disputing which was the stronger, when a traveller came along wrapped in a warm "
                "cloak. They agreed that the one who first made the traveller take his cloak off should be held the stronger. ")
        subprocess.run([program, "-v", "en", "-s", "140", "-w", str(path), 2 * text], check=True)
    return program is not None


def _take(path: Path) -> None:
    tone = 0.2 * np.sin(2 * np.pi * 200 * np.arange(48_000, dtype=np.float32) / 48_000)
    with av.open(str(path), "w") as box:
        stream = box.add_stream("aac", rate=48_000, layout="mono")
        sound = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), format="fltp", layout="mono")
        sound.sample_rate = 48_000
        box.mux(stream.encode(sound))
        box.mux(stream.encode(None))
