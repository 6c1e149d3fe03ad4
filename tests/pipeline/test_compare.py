"""The sheet to choose from: every way has its tile, and those that do not protect exist nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from facedouble.colour import picture
from facedouble.errors import StoreError
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline import compare as module
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.compare import BAND, REFERENCES, attacks, compare, draw_comparison
from facedouble.protect.treatments import TREATMENTS, Part
from facedouble.types import Bytes, Double, Frame, MediaInfo

COUNT = 6
DOC = Path(__file__).resolve().parents[2] / "docs" / "compare.md"


@pytest.fixture
def short(analysis: Analysis, monkeypatch: pytest.MonkeyPatch) -> Analysis:
    """The first frames of the clip."""
    whole = frames

    def few(info: MediaInfo) -> Iterator[Frame]:
        return islice(whole(info), COUNT)

    monkeypatch.setattr(module, "frames", few)
    return replace(analysis, frames=COUNT)


def tiles(path: Path, names: list[str], info: MediaInfo) -> dict[str, Bytes]:
    """The tiles of the last frame."""
    made = list(frames(probe(path)))
    assert len(made) == COUNT
    sheet = picture(made[-1])
    columns = min(4, len(names))
    w, h = sheet.shape[1] // columns, sheet.shape[0] // -(-len(names) // columns) - BAND
    assert abs(w / h - info.width / info.height) < 0.02
    return {name: sheet[n // columns * (h + BAND) + BAND :, n % columns * w :][:h, :w] for n, name in enumerate(names)}


@pytest.mark.parametrize("original", [False, True])
def test_a_sheet_of_all_ways(short: Analysis, double: Double, tmp_path: Path, original: bool) -> None:
    path = tmp_path / "sheet.mp4"
    draw_comparison(short, short, (double,), path, original, Options())
    names = [*(["original"] if original else []), "double", "mannequin", "veil", *REFERENCES]
    seen = tiles(path, names, short.info)
    assert not probe(path).audio
    for a in names:
        for b in names:
            assert a == b or np.abs(seen[a].astype(int) - seen[b]).mean() > 0.4, (a, b)
    plain = picture(list(islice(frames(short.info), COUNT))[-1], max(seen["veil"].shape[:2]))
    h, w = seen["veil"].shape[:2]
    alike = {name: float(np.abs(tile.astype(int) - plain[:h, :w]).mean()) for name, tile in seen.items()}
    assert all(value > 2.5 for name, value in alike.items() if name in ("veil", "sketch", "silhouette"))
    assert (min(alike.values()) < 3) == original  # the footage itself is there only if it was asked for


def test_the_whole_run(short: Analysis, double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "analyse", lambda *_: short)
    monkeypatch.setattr(module, "rehearse", lambda made, *_: made)
    said = []
    compare(Path(short.info.path), None, tmp_path / "a.mp4", False, Options(), lambda *at: said.append(at))
    assert tiles(tmp_path / "a.mp4", ["mannequin", "veil", *REFERENCES], short.info)
    assert said[-1] == ("comparing", COUNT, COUNT)
    with pytest.raises(StoreError):
        compare(Path(short.info.path), double, tmp_path / "a.mp4", False, Options())


def test_the_references_are_no_treatments() -> None:
    assert not set(REFERENCES) & set(TREATMENTS)


def test_a_silhouette_comes_back_with_more_gain(short: Analysis) -> None:
    """What the page says of it, done."""
    frame = next(iter(frames(short.info)))
    role = short.roles[0]
    rgb = picture(frame).astype(np.float32) / 255
    dark = np.round(REFERENCES["silhouette"](rgb, [Part(0, role.boxes[0], role.covers[0])]) * 255) / 255
    b = role.boxes[0]
    at = slice(int(b.y0), int(b.y1)), slice(int(b.x0), int(b.x1))
    assert dark[at].mean() < 0.2 * rgb[at].mean()
    assert np.corrcoef(dark[at].mean(-1).ravel(), rgb[at].mean(-1).ravel())[0, 1] > 0.98


def test_the_page_says_what_undoes_each() -> None:
    text = DOC.read_text()
    said = attacks()
    assert set(said) == {"original", "double", "mannequin", "veil", *REFERENCES}
    for name, attack in said.items():
        assert f"| {name} | {attack} |" in text
    assert all("arXiv" in said[name] or "et al." in said[name] for name in REFERENCES)
