"""The listening page holds both sounds and all it needs, and asks nothing of anybody."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.container import InputContainer

from facedouble.errors import InputRefused, StoreError, UsageError
from facedouble.pipeline import listening
from facedouble.pipeline.listening import RATE, compare, excerpt, marks_of
from facedouble.pipeline.listenpage import CAUTION, SCRIPT, STYLE, Mark
from facedouble.plan.read import read
from facedouble.types import Floats
from tests.media.make import clip
from tests.media.test_recording import wav
from tests.voice.test_picture import speech

SECONDS = 13.0


class Seen(HTMLParser):
    """Every tag with its attributes, and the text outside of script and style."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._inside = "", ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""

    def handle_data(self, data: str) -> None:
        self.text += "" if self._inside else data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("films")
    return (wav(folder / "secret-name-before.wav", speech(SECONDS, 110, 1)[:, None], RATE),
            wav(folder / "secret-name-after.wav", speech(SECONDS, 180, 2)[:, None], RATE))


MARKS = (Mark(0.5, 3.0, "P1", "double noor"), Mark(4.0, 11.0, 'P2 <script>alert("x")</script>', "keep", ("laughter? <b>",)))


@pytest.fixture(scope="module")
def page(films: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("page") / "listen.html"
    compare(*films, path, marks=MARKS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_bytes()


def test_nothing_on_it_points_anywhere(page: bytes) -> None:
    seen = Seen(page)
    for tag, attrs in seen.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "a", "img")
        for name, value in attrs.items():
            assert name not in ("style", "srcset", "action", "poster", "xlink:href") and not name.startswith("on")
            if name in ("src", "href"):
                assert str(value).startswith(("data:audio/flac;base64,", "data:image/webp;base64,"))
    bare = re.sub(rb'="data:[^"]*"', b"", page)
    assert not re.search(rb"(?i)https?:|//[a-z]|url\(|@import|fetch\(|XMLHttp|WebSocket|import\(|sendBeacon|localStorage", bare)


def test_the_policy_lets_only_its_own_script_run(page: bytes) -> None:
    policy = next(str(m["content"]) for m in Seen(page).all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    for text, what in ((SCRIPT, "script"), (STYLE, "style")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{what}-src 'sha256-{digest}'" in policy and f"<{what}>{text}</{what}>".encode() in page
    assert len(Seen(page).all("script")) == len(Seen(page).all("style")) == 1


def test_words_of_caution_come_first_and_no_file_is_named(page: bytes) -> None:
    text = Seen(page).text
    assert "ORIGINAL voice" in CAUTION[0] and all(c in text for c in CAUTION)
    assert text.index(CAUTION[0]) < text.index("Listen here first") and "secret-name" not in page.decode()
    assert 'P2 <script>alert("x")</script>' in text and "laughter? <b>" in text


def sounds(page: bytes) -> dict[str, Floats]:
    found = {}
    for attrs in Seen(page).all("audio"):
        data = base64.b64decode(str(attrs["src"]).split(",")[1])
        with av.open(io.BytesIO(data)) as box:
            assert isinstance(box, InputContainer)
            parts = [f.to_ndarray() for f in box.decode(audio=0)]
        found[str(attrs["id"])] = np.concatenate(parts, axis=1)[0].astype(np.float32) / 32767
    return found


def test_both_sounds_are_in_it_sample_by_sample(page: bytes, films: tuple[Path, Path]) -> None:
    held = sounds(page)
    for name, path in zip(("before", "after"), films, strict=True):
        assert len(held[name]) == SECONDS * RATE
        assert np.abs(held[name] - excerpt(path, 0)[0]).max() < 2 / 32767


def test_the_pictures_are_of_the_sounds(page: bytes) -> None:
    seen = Seen(page)
    pictures = [cv2.imdecode(np.frombuffer(base64.b64decode(str(i["href"]).split(",")[1]), np.uint8), 1)
                for i in seen.all("image")]
    assert [p.shape for p in pictures] == [(120, 1200, 3)] * 2 + [(120, 360, 3)] * 2
    assert all(p.std() > 10 for p in pictures) and [s["data-start"] for s in seen.all("svg")] == ["0.000", "10.000"]
    names = [a for tag, a in seen.tags if tag == "rect" and a["class"] in ("double", "keep")]
    assert [a["class"] for a in names] == ["double", "keep", "keep"]  # the second turn is in both rows


def test_the_same_films_give_the_same_page(films: tuple[Path, Path], page: bytes, tmp_path: Path) -> None:
    compare(*films, tmp_path / "again.html", marks=MARKS)
    assert (tmp_path / "again.html").read_bytes() == page
    with pytest.raises(StoreError, match="exists"):
        compare(*films, tmp_path / "again.html")


def test_a_long_film_comes_in_parts(films: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LONGEST", 4.0)
    first = compare(*films, tmp_path / "1.html", marks=MARKS)
    assert first.seconds == 4 and "another with --from" in first.notes[1] and [m.stop for m in first.marks] == [3.0]
    last = compare(*films, tmp_path / "2.html", start=10.5, marks=MARKS)
    assert last.seconds == 2.5 and last.marks[0].start == 0 and last.marks[0].stop == pytest.approx(0.5)
    held = sounds((tmp_path / "2.html").read_bytes())["before"]
    assert np.abs(held - excerpt(films[0], 0)[0][: len(held)]).max() > 0.01  # another part
    for start, error in ((99.0, InputRefused), (-1.0, UsageError), (float("nan"), UsageError)):
        with pytest.raises(error):
            compare(*films, tmp_path / "3.html", start=start)
    assert not (tmp_path / "3.html").exists()


def test_lengths_that_differ_are_told_and_silence_is_drawn(tmp_path: Path) -> None:
    a = wav(tmp_path / "a.wav", speech(3, 110)[:, None], RATE)
    b = wav(tmp_path / "b.wav", np.zeros((RATE, 2), np.float32), RATE)
    made = compare(a, b, tmp_path / "l.html")
    assert "differ" in made.notes[0] and made.seconds == 3
    c = wav(tmp_path / "c.wav", np.zeros((1, 1), np.float32), 8_000)
    assert compare(c, c, tmp_path / "m.html").seconds < 0.001


def test_films_are_laid_beside_each_other_by_their_pictures(tmp_path: Path) -> None:
    early, late = (excerpt(clip(tmp_path / f"{n}.mp4", frames=25, audio=[(24_000, 0.6, s)]), 0)[0]
                   for n, s in (("early", 0.0), ("late", 0.3)))
    begins = [int(np.argmax(np.abs(s) > 0.1)) / RATE for s in (early, late)]
    assert begins[1] - begins[0] == pytest.approx(0.3, abs=0.05)


def test_what_has_no_sound_is_refused(films: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no sound"):
        compare(clip(tmp_path / "silent.mp4"), films[1], tmp_path / "l.html")
    assert not (tmp_path / "l.html").exists()


PLAN = """version = 1

[[clip]]
id = "A"
file = "a.mp4"
sha256 = "{}"
frames = 250
rate = "25"
notes = "{}"

[[voice]]
name = "noor"
file = "noor.fvoice"

[[person]]
id = "P1"
name = "the neighbour"
faces = []
face = "veil"
voice = "double noor"

[[turn]]
clip = "A"
from = 5.0
to = 6.5
flags = ["laughter?"]

[[turn]]
clip = "A"
from = 1.0
to = 2.5
person = "P1"
""".format("0" * 64, "0" * 16)


def test_turns_come_from_a_plan() -> None:
    plan = read(PLAN)
    assert marks_of(plan) == marks_of(plan, "A") == (Mark(1.0, 2.5, "P1 the neighbour", "double noor"),
                                                     Mark(5.0, 6.5, "nobody said who", "mute", ("laughter?",)))
    with pytest.raises(UsageError, match="no clip B"):
        marks_of(plan, "B")
