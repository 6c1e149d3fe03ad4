"""The program as a user meets it: help, one sentence and an exit code for each mistake. Documents: cli/test_documented_*.py."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from facedouble.demo.witness import portrait_pixels
from tests.cli.forked import run
from tests.media.make import clip
from tests.plan.test_read import ROSE

ROOT = Path(__file__).resolve().parents[1]
FRESH = ((), ("protect",))  # their help by an interpreter of its own


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, witness: Path) -> Path:
    """A folder with footage and a portrait."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(witness, folder / "interview.mp4")
    cv2.imwrite(str(folder / "portrait.png"), portrait_pixels("admiral", 700)[..., ::-1])
    return folder


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
    done = run(*words, "--help", cwd=tmp_path, fresh=words in FRESH)
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
        done = run(*shlex.split(command), cwd=desk, fresh=command.startswith("protect none"))
        said = [line for line in done.stderr.splitlines() if "━" not in line and line.strip()]
        assert done.returncode == code, (command, done.returncode, done.stderr)
        assert word in done.stderr and len(said) == 1 and "Traceback" not in done.stderr, (command, said)
        assert sorted(p.name for p in desk.iterdir()) == before, command
    assert (desk / "mine.mp4").read_bytes() == b"mine"


def waited_for_handlers(process: subprocess.Popen[str]) -> None:
    """Until the program listens to SIGTERM, which Python by itself does not: before, it is only being loaded."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        status = Path(f"/proc/{process.pid}/status").read_text()
        if int(status.split("SigCgt:")[1].split()[0], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.05)


@pytest.mark.parametrize(("name", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_run_leaves_nothing(desk: Path, name: signal.Signals, code: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    words = ["protect", str(desk / "interview.mp4"), "-o", str(out / "o.mp4")]
    process = subprocess.Popen([sys.executable, "-m", "facedouble", *words], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    waited_for_handlers(process)
    time.sleep(3)
    process.send_signal(name)
    _, said = process.communicate(timeout=60)
    if process.returncode != 0:  # a fast machine may have finished
        assert process.returncode == code
        assert list(out.iterdir()) == []
        assert name == signal.SIGKILL or "stopped" in said
