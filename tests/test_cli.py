"""The program as a user meets it: every documented command, one sentence and an exit code for each mistake."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.demo.witness import portrait_pixels
from facedouble.doubles.file import write_double
from facedouble.doubles.mannequin import mannequin
from facedouble.types import Array
from tests.media.make import clip
from tests.plan.test_read import ROSE

ROOT = Path(__file__).resolve().parents[1]
CONSENT = 'code = "V3"\nscope = ["film", "trailer", "test"]\ndate = 2026-01-01\n'
# the reader runs these as they are; `make test` is what runs this, `make bench` is a long trial
NOT_HERE = re.compile(r"^make (demo|test|setup|bench|mutate|bundle)")


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run([sys.executable, "-m", "facedouble", *words], cwd=cwd, env=env, capture_output=True, text=True,
                          timeout=300)


def documented() -> list[str]:
    """Commands from indented blocks, and from the table of options, of README and documents.

    Pages about projects ask for secrets: tests/cli/test_documented.py, test_people_documented.py, test_first_card.py.
    """
    found = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if path.name in ("project.md", "people.md", "first-card-to-release.md"):
            continue
        for line in path.read_text().splitlines():
            match = re.match(r"^ {4}(?:\.venv/bin/)?(facedouble .*|make .*)$", line)
            if match and match[1] not in found:
                found.append(match[1])
    return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, witness: Path, double_path: Path) -> Path:
    """A folder with the files that the documents speak of."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "consent.toml").write_text(CONSENT)
    (folder / "interview.mp4").write_bytes(witness.read_bytes())
    cv2.imwrite(str(folder / "portrait.png"), portrait_pixels("admiral", 700)[..., ::-1])
    (folder / "people").mkdir()
    (folder / "people" / "somebody.png").write_bytes((folder / "portrait.png").read_bytes())
    (folder / "doubles").mkdir()
    (folder / "doubles" / "ana.fdouble").write_bytes(double_path.read_bytes())
    for place in (folder / "ben.fdouble", folder / "doubles" / "ben.fdouble"):
        write_double(mannequin(), place)
    return folder


def test_every_documented_command_runs(desk: Path) -> None:
    commands = [c for c in documented() if not NOT_HERE.match(c)]
    assert any("protect" in c for c in commands) and any("double make" in c for c in commands)
    still = cv2.imread(str(desk / "portrait.png"))
    frames = [cv2.warpAffine(still, np.array([[1, 0, 2 * np.sin(i)], [0, 1, np.cos(i)]], np.float32), still.shape[1::-1])
              for i in range(12)]
    _film(desk / "capture.mp4", frames)
    _film(desk / "street.mp4", _street(desk, still))
    for twin in ("first.mp4", "second.mp4"):
        (desk / twin).write_bytes((desk / "capture.mp4").read_bytes())
    cv2.imwrite(str(desk / "photo.jpg"), still)
    (desk / "interview.srt").write_text("1\n00:00:00,200 --> 00:00:01,800\nMy name is Khaled, of Lenina 12.\n")
    (desk / "names.toml").write_text('names = ["Khaled"]\nplaces = ["Lenina 12"]\n')
    _take(desk / "ana1.m4a")
    if not _reading(desk / "reading.wav"):
        commands = [c for c in commands if "noor" not in c]
    for command in commands:
        words = shlex.split(command.replace("…", "she asked for it"))[1:]
        outputs = ["safe.mp4", "safe.report.json", "safe.sheet.jpg"] if words[0] == "protect" else []
        outputs += ["ana.fdouble", "ana.contact.jpg"] if "make" in words else []
        outputs += ["noor.fvoice"] if words[:2] == ["voice", "make"] else []
        outputs += ["film.plan.toml"] if "analyse" in words else []
        for made in outputs:
            (desk / made).unlink(missing_ok=True)
        if "analyse" in words:
            shutil.rmtree(desk / "film.notes", ignore_errors=True)
        if "install" in words:
            continue  # tests/models/test_install.py
        done = run(*words, cwd=desk)
        fit = (0, 6) if "--air-gap" in words else (0,)  # whoever runs the tests may be online
        assert done.returncode in fit, (command, done.stdout, done.stderr)
    assert "Khaled" not in (desk / "safe.srt").read_text() and (desk / "takes" / "turn-003.take-01.wav").is_file()


def _street(desk: Path, still: Array) -> list[Array]:
    """The person of the interview beside somebody else."""
    from facedouble.colour import picture
    from facedouble.media.decode import frames
    from facedouble.media.probe import probe

    other = cv2.resize(still, (360, 360))
    return [np.hstack([cv2.resize(picture(f)[..., ::-1], (360, 360)), other]) for f in frames(probe(desk / "interview.mp4"))][:30]


def _film(path: Path, pictures: list[Array]) -> None:
    import av

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
    import av

    tone = 0.2 * np.sin(2 * np.pi * 200 * np.arange(48_000, dtype=np.float32) / 48_000)
    with av.open(str(path), "w") as box:
        stream = box.add_stream("aac", rate=48_000, layout="mono")
        sound = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), format="fltp", layout="mono")
        sound.sample_rate = 48_000
        box.mux(stream.encode(sound))
        box.mux(stream.encode(None))


@pytest.mark.parametrize("words", [(), ("protect",), ("double",), ("double", "make"), ("double", "show"), ("double", "blend"),
                                   ("double", "check"), ("double", "rank"),
                                   ("double", "capture-sheet"), ("double", "shotlist"), ("doctor",),
                                   ("models",), ("models", "install"), ("demo",), ("analyse",), ("people",), ("plan",),
                                   *(("plan", c) for c in ("check", "decide", "span", "region", "card", "watermark", "double",
                                                            "rename", "merge", "split", "ignore", "tidy")),
                                   *(("plan", c) for c in ("add-voice", "voice", "turn", "bleep", "ambience", "voices")),
                                   ("voice", "who"), ("voice", "cues"), ("voice", "take"), ("subtitles",),
                                   *(("plan", c) for c in ("find", "add-check", "mark", "checklist")),
                                   ("render",), ("compare",), ("init",), ("unlock",), ("lock",), ("keys",), ("log",),
                                   *(("keys", c) for c in ("list", "add", "remove", "rotate")),
                                   *(("log", c) for c in ("show", "head", "verify", "recover"))])
def test_help_is_there_with_an_example(words: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*words, "--help", cwd=tmp_path)
    assert done.returncode == 0 and "Usage" in done.stdout
    if words not in ((), ("double",), ("models",), ("plan",), ("keys",), ("log",)):
        assert "Example: facedouble" in done.stdout


def mistakes(desk: Path) -> list[tuple[str, int, str]]:
    """Command, exit code, a word of the sentence."""
    (desk / "notes.mp4").write_text("these are notes\n" * 100)
    (desk / "list.mp4").write_text("ffconcat version 1.0\nfile interview.mp4\n")
    (desk / "empty.mp4").write_bytes(b"")
    (desk / "cut.mp4").write_bytes((desk / "interview.mp4").read_bytes()[:-2000])
    (desk / "bad.fdouble").write_bytes(b"nothing")
    (desk / "mine.mp4").write_bytes(b"mine")
    (desk / "odd.toml").write_text("[draw]\nhalow = 1\n")
    (desk / "bad.plan.toml").write_text("version = 1\nclips = 3\n")
    (desk / "good.plan.toml").write_text(ROSE)
    (desk / "small.plan.toml").write_text("version = 1\n")
    clip(desk / "wall.mp4", 128, 96, 10)
    return [
        ("protect none.mp4 -o o.mp4", 7, "no such file"), ("protect notes.mp4 -o o.mp4", 7, "not footage"),
        ("protect list.mp4 -o o.mp4", 7, "playlists"), ("protect empty.mp4 -o o.mp4", 7, "empty"),
        ("protect cut.mp4 -o o.mp4", 7, "cut"), ("protect wall.mp4 -o o.mp4", 7, "--no-faces"),
        ("protect interview.mp4 -o interview.mp4", 2, "same file"), ("protect interview.mp4 -o mine.mp4", 5, "exists"),
        ("protect interview.mp4 -o nowhere/o.mp4", 5, "folder"), ("protect interview.mp4 -o o.avi", 2, ".mp4"),
        ("protect interview.mp4 -o o.mp4 --double bad.fdouble", 7, "double"),
        ("protect interview.mp4 -o o.mp4 --double none.fdouble", 7, "no such double"),
        ("protect interview.mp4 -o o.mp4 --voice keep", 2, "--reason"),
        ("protect interview.mp4 -o o.mp4 --voice loud", 2, "mute or keep"),
        ("protect interview.mp4 -o o.mp4 --voice-of one=keep", 2, "1=noor.fvoice"),
        ("protect interview.mp4 -o o.mp4 --voice-of 1=keep", 2, "--reason"),
        ("protect interview.mp4 -o o.mp4 --voice-of 1=mute --voice-of 1=mute", 2, "twice"),
        ("protect interview.mp4 -o o.mp4 --ambience old", 2, "new, clean, keep"),
        ("plan voice good.plan.toml P1 keep --by Lin", 2, "--reason"),
        ("plan voice good.plan.toml P1 mute", 2, "who decided"),
        ('plan voice good.plan.toml P1 "double noor" --by Lin', 2, "there is none yet"),
        ("plan voice good.plan.toml P7 mute --by Lin", 2, 'no person "P7"'), ("plan turn good.plan.toml A 3 P1", 2, "no turn 3"),
        ("plan turn good.plan.toml 3", 2, "whose they are"), ("plan turn good.plan.toml voice:2 P1", 2, "no turn of clip A"),
        ("plan bleep good.plan.toml 1.0 --by Lin", 2, "its end"), ("plan bleep good.plan.toml 1.0 2.0", 2, "who wants it"),
        ("plan bleep good.plan.toml 2.0 1.0 --by Lin", 2, "after from"),
        ("plan bleep good.plan.toml noon --remove", 2, "no time"),
        ("plan bleep good.plan.toml 1.0 --remove", 2, "none yet"), ("plan ambience good.plan.toml keep --by Lin", 2, "--reason"),
        ("plan ambience good.plan.toml clean", 2, "who decided"), ("plan voices bad.plan.toml", 2, "line 2"),
        ("plan add-voice good.plan.toml noor none.fvoice", 7, "voice make"), ("voice who notes.mp4", 7, "not footage"),
        ("protect interview.mp4 -o o.mp4 --halo 2", 2, "halo"), ("protect interview.mp4 -o o.mp4 --options odd.toml", 2, "halow"),
        ("protect interview.mp4", 2, "output"), ("dance", 2, "dance"),
        ("render none.plan.toml -o out", 7, "analyse"), ("render bad.plan.toml -o out", 2, "line 2"),
        ("plan check bad.plan.toml", 2, "line 2"), ("plan check interview.mp4", 2, ".plan.toml"),
        ("plan span good.plan.toml P1 --by Lin", 2, "--remove"),
        ("plan span good.plan.toml P1 hide --by Lin --from noon", 2, "no time"),
        ("plan span good.plan.toml P1 hide --by Lin --from 9 --to 3", 2, "after from"),
        ("plan span good.plan.toml P1 --remove", 2, "no such span"),
        ("plan span good.plan.toml P1 show --by Lin", 2, "add reason"),
        ("plan span good.plan.toml P1 reveal --by Lin --reason so", 2, "seconds"),
        ("plan decide good.plan.toml P1 hide --by Lin --hide room", 2, "ellipse, box, frame"),
        ("plan region good.plan.toml sign", 2, "give --key"),
        ("plan region good.plan.toml sign --key 3:4", 2, "100:640,420,90x60"),
        ("plan region good.plan.toml sign --key 300:4,4,9x9", 2, "which has 100"),
        ("plan region good.plan.toml sign --remove", 2, "no region"), ("plan card good.plan.toml --on every", 2, "says nothing"),
        ("plan watermark good.plan.toml --remove", 2, "no watermark"), ("plan tidy none.plan.toml", 7, "analyse"),
        ("plan find none.plan.toml", 7, "analyse"), ("plan mark small.plan.toml one seen", 2, "no number"),
        ("plan mark small.plan.toml 1 seen --by Lin", 2, "no check 1"), ("plan mark small.plan.toml 1", 2, "Missing"),
        ("plan add-check small.plan.toml tattoo --clip A", 2, 'no clip "A"'),
        ("plan checklist small.plan.toml . -o c.jpg", 2, "plan find"),
        ("plan checklist bad.plan.toml . -o mine.mp4", 5, "exists"),
        ("people none.plan.toml", 7, "analyse"), ("analyse notes.mp4 -p new.plan.toml", 7, "not footage"),
        ("double make o.fdouble portrait.png", 4, "consent"), ("double show bad.fdouble", 7, "double"),
    ]


def test_mistakes_get_one_sentence_and_their_exit_code(desk: Path) -> None:
    before = None
    for command, code, word in mistakes(desk):
        before = before or sorted(p.name for p in desk.iterdir())
        done = run(*shlex.split(command), cwd=desk)
        said = [line for line in done.stderr.splitlines() if "━" not in line and line.strip()]
        assert done.returncode == code, (command, done.returncode, done.stderr)
        assert word in done.stderr and len(said) == 1 and "Traceback" not in done.stderr, (command, said)
        assert sorted(p.name for p in desk.iterdir()) == before, command
    assert (desk / "mine.mp4").read_bytes() == b"mine"


@pytest.mark.parametrize(("name", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_run_leaves_nothing(desk: Path, name: signal.Signals, code: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    words = ["protect", str(desk / "interview.mp4"), "-o", str(out / "o.mp4")]
    process = subprocess.Popen([sys.executable, "-m", "facedouble", *words], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    time.sleep(5)
    process.send_signal(name)
    _, said = process.communicate(timeout=60)
    if process.returncode != 0:  # a fast machine may have finished
        assert process.returncode == code
        assert list(out.iterdir()) == []
        assert name == signal.SIGKILL or "stopped" in said
