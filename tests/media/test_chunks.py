"""Chunks: joined they are the film; damaged ones are drawn again; frames sought are those of the first reading."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facedouble.errors import FacedoubleError, StoreError
from facedouble.media import again
from facedouble.media.again import Marking, Marks, mark, spans_of
from facedouble.media.chunks import Chunk, Folder, borders, check, join, remove, stored, tidy
from facedouble.media.container import violations
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.h264 import units
from facedouble.media.probe import probe
from facedouble.media.sound import pcm, sample_count
from facedouble.options import EncodeOptions
from facedouble.types import Frame, MediaInfo
from tests.media.make import clip, safe

QUICK = EncodeOptions(preset="veryfast", chunk_most=16, chunk_least=5)
ROOT = Path(__file__).resolve().parents[2]
IRREGULAR = [0, 7, 11, 30, 31, 32, 60, 61, 90, 91, 92, *range(200, 200 + 29 * 13, 13)]
CASES: dict[str, Callable[[Path], Path]] = {
    "plain": lambda p: clip(p / "a.mp4", frames=40, audio=[(44100, 1.6, 0)]),
    "odd size": lambda p: clip(p / "a.mkv", 97, 65, 40, codec="ffv1"),
    "10 bit": lambda p: clip(p / "a.mkv", frames=40, codec="ffv1", fmt="yuv420p10le"),
    "10 bit 4:2:2": lambda p: clip(p / "a.mkv", frames=40, codec="ffv1", fmt="yuv422p10le"),
    "variable rate": lambda p: clip(p / "a.mp4", frames=40, pts=IRREGULAR, base=Fraction(1, 600), audio=[(48000, 1, 0)]),
    "late start": lambda p: clip(p / "a.mp4", frames=40, pts=[50 + 3 * i for i in range(40)], base=Fraction(1, 90)),
    "late sound": lambda p: clip(p / "a.mp4", frames=40, audio=[(48000, 0.8, 0.5)]),
    "anamorphic": lambda p: clip(p / "a.mp4", frames=40, sar=Fraction(4, 3)),
    "full range": lambda p: clip(p / "a.mp4", frames=40, full=True),
    "one frame": lambda p: clip(p / "a.mp4", frames=1),
}
NAMES = [f"{k:064x}" for k in range(9)]


def sounds(info: MediaInfo) -> list[Any]:
    return [(a.rate, a.channels, a.start, pcm(info, a.index)) for a in info.audio]


def fill(folder: Folder, info: MediaInfo, held: Sequence[Frame], spans: Sequence[tuple[int, int]],
         options: EncodeOptions = QUICK, names: Sequence[str] = NAMES) -> list[Chunk]:
    """All chunks of a clip."""
    made = []
    for name, (start, stop) in zip(names, spans, strict=False):
        with folder.new(name, info, options) as chunk:
            for frame in held[start:stop]:
                chunk.add(safe(frame))
            chunk.finish(name, {"start": start})
        found = folder.find(name)
        assert found is not None and (found.start, found.stop, found.facts) == (start, stop, {"start": start})
        made.append(found)
    return made


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "slow"])  # no B-pictures, some, more
@pytest.mark.parametrize("case", CASES)
def test_chunks_make_the_film_that_is_made_at_once(case: str, preset: str, tmp_path: Path) -> None:
    options = EncodeOptions(preset=preset, crf=2, chunk_most=16, chunk_least=5)
    info = probe(CASES[case](tmp_path))
    held = list(frames(info))
    spans = borders(len(held), (), options)
    assert len(spans) == (3 if len(held) > 1 else 1)
    with Writer(tmp_path / "at once.mp4", info, options, sounds(info)) as writer:
        for start, stop in spans:
            for frame in held[start:stop]:
                writer.add(safe(frame))
            writer.cut()
    with Folder(tmp_path / "parts") as folder:
        chunks = fill(folder, info, held, spans, options)
        join(chunks, tmp_path / "out.mp4", info, options, sounds(info))
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "at once.mp4").read_bytes()
    assert violations(tmp_path / "out.mp4") == []
    after = probe(tmp_path / "out.mp4")
    copied = list(frames(after))
    assert len(copied) == len(held) and not any(f.corrupt for f in copied)
    shift = copied[0].time - held[0].time
    assert [f.time + shift for f in held] == [f.time for f in copied]
    assert (after.width, after.height, after.sample_aspect, after.colour) == (
        info.width, info.height, info.sample_aspect, info.colour)
    apart = [[float(np.abs(a.planes[0].astype(int) - b.planes[0]).mean()) for b in copied] for a in held]
    assert all(row[i] == min(row) for i, row in enumerate(apart))  # none in another's place
    heard = [round(a.start * a.rate) + sample_count(info, a.index) for a in info.audio]  # a late start has become silence
    assert heard == [sample_count(after, a.index) for a in after.audio]


def test_a_player_may_begin_at_any_chunk(tmp_path: Path) -> None:
    """Decoded from its first picture on, each chunk gives what it gives within the film."""
    info = probe(clip(tmp_path / "a.mkv", 160, 96, 60, codec="ffv1"))
    held = list(frames(info))
    with Folder(tmp_path / "parts") as folder:
        join(fill(folder, info, held, [(0, 20), (20, 40), (40, 60)]), tmp_path / "out.mp4", info, QUICK, [])
        alone = fill(folder, info, held, [(20, 40)])[0]
        with Writer(tmp_path / "alone.mp4", info, QUICK, []) as writer:
            for packet in alone.packets():
                writer.put(alone.header, packet)
    whole, part = (list(frames(probe(tmp_path / name))) for name in ("out.mp4", "alone.mp4"))
    for a, b in zip(whole[20:40], part, strict=True):
        assert all(np.array_equal(p, q) for p, q in zip(a.planes, b.planes, strict=True))


def test_the_bits_of_a_chunk_depend_on_its_frames_only(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mkv", frames=40, codec="ffv1"))
    held = list(frames(info))
    with Folder(tmp_path / "parts") as folder:
        first = fill(folder, info, held, [(0, 20), (20, 40)])
        again = fill(folder, info, held, [(0, 10), (20, 40)])
        assert first[0].payload != again[0].payload and first[1].payload == again[1].payload
        assert not any(unit[0] & 31 == 6 for packet in again[1].packets() for unit in units(packet.data))


def test_borders_are_at_cuts_and_never_far() -> None:
    options = EncodeOptions()
    assert borders(0, (), options) == [] and borders(1, (), options) == [(0, 1)]
    assert borders(300, (120, 130, 290), options) == [(0, 120), (120, 300)]
    assert borders(900, (), options) == [(0, 225), (225, 450), (450, 675), (675, 900)]
    rng = np.random.default_rng(1)
    for _ in range(300):
        total = int(rng.integers(1, 4000))
        cuts = sorted(set(rng.integers(0, total, rng.integers(0, 60)).tolist()))
        spans = borders(total, cuts, options)
        assert [a for a, _ in spans] == [0, *(b for _, b in spans[:-1])] and spans[-1][1] == total
        lengths = [b - a for a, b in spans]
        assert max(lengths) <= options.chunk_most and (min(lengths) >= options.chunk_least or len(spans) == 1)


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a picture": lambda d: _flip(d, 60), "the mark": lambda d: _flip(d, 2), "the head": lambda d: _flip(d, len(d) - 300),
    "the length": lambda d: _flip(d, len(d) - 1), "a byte short": lambda d: d[:-1], "half": lambda d: d[: len(d) // 2],
    "empty": lambda _: b"", "more": lambda d: d + b"0", "a byte in between": lambda d: d[:80] + b"0" + d[80:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_chunk_is_none(damage: str, tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mkv", frames=10, codec="ffv1"))
    with Folder(tmp_path / "parts") as folder:
        chunk = fill(folder, info, list(frames(info)), [(0, 10)])[0]
        chunk.path.write_bytes(DAMAGE[damage](chunk.path.read_bytes()))
        assert folder.find(NAMES[0]) is None
        fill(folder, info, list(frames(info)), [(0, 10)])  # takes its place


def test_a_chunk_under_another_name_is_none(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mkv", frames=10, codec="ffv1"))
    with Folder(tmp_path / "parts") as folder:
        chunk = fill(folder, info, list(frames(info)), [(0, 10)])[0]
        chunk.path.rename(chunk.path.with_name(f"{NAMES[1]}.chunk"))
        assert folder.find(NAMES[0]) is None and folder.find(NAMES[1]) is None
        with pytest.raises(ValueError, match="digest"):
            folder.find("../secret")


def test_what_does_not_fit_is_not_joined(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mkv", frames=40, codec="ffv1"))
    held = list(frames(info))
    target = tmp_path / "out.mp4"
    with Folder(tmp_path / "parts") as folder:
        chunks = fill(folder, info, held, [(0, 10), (10, 25), (25, 40)])
        for wrong in ([chunks[0], chunks[2]], [chunks[1], chunks[0]]):
            with pytest.raises(FacedoubleError, match="missing"):
                join(wrong, target, info, QUICK, [])
        with pytest.raises(FacedoubleError, match="different ways"):  # other options, other parameter sets
            join(chunks, target, info, EncodeOptions(preset="ultrafast"), [])
        chunks[1].path.write_bytes(_flip(chunks[1].path.read_bytes(), 60))
        with pytest.raises(StoreError, match="altered"):
            join(chunks, target, info, QUICK, [])
        chunks[1].path.unlink()
        with pytest.raises(StoreError, match="read any more"):
            join(chunks, target, info, QUICK, [])
    assert not target.exists()


def test_the_folder_is_private_and_in_one_hand(tmp_path: Path) -> None:
    place = tmp_path / "parts"
    with Folder(place):
        assert place.stat().st_mode & 0o777 == 0o700
        with pytest.raises(StoreError, match="another run"), Folder(place):
            pass
        with pytest.raises(StoreError, match="another run"):
            check(place)
    assert not place.exists()  # nothing was finished in it
    info = probe(clip(tmp_path / "a.mkv", frames=10, codec="ffv1"))
    place.mkdir(mode=0o755)
    (place / "mine.txt").write_text("mine")
    (place / f".{NAMES[5]}.part").write_text("half")
    with Folder(place) as folder:
        assert place.stat().st_mode & 0o777 == 0o700
        fill(folder, info, list(frames(info)), [(0, 5), (5, 10)])
        assert sorted(p.name for p in place.iterdir()) == [*(f"{n}.chunk" for n in NAMES[:2]), "mine.txt"]
        assert all(p.stat().st_mode & 0o777 == 0o600 for p in place.glob("*.chunk"))
        folder.keep(NAMES[1:2])
        assert folder.find(NAMES[0]) is None and folder.find(NAMES[1]) is not None
    remove(place)
    assert [p.name for p in place.iterdir()] == ["mine.txt"]
    (place / "mine.txt").unlink()
    remove(place)
    assert not place.exists()
    remove(place)


def test_chunks_of_the_last_three_films_stay(tmp_path: Path) -> None:
    """Going back to one of them finds all it needs; the same film again drives none of the others out."""
    place = tmp_path / "parts"
    info = probe(clip(tmp_path / "a.mkv", frames=9, codec="ffv1"))

    def there() -> set[int]:
        return {NAMES.index(p.stem) for p in place.glob("*.chunk")}

    with Folder(place) as folder:
        fill(folder, info, list(frames(info)), [(k, k + 1) for k in range(4)])
        assert there() == {0, 1, 2, 3}
        assert stored(place) == sum(p.stat().st_size for p in place.iterdir()) > 4 * 100
        films = [NAMES[0:4], [NAMES[0], NAMES[4], *NAMES[2:4]], [NAMES[0], NAMES[5], *NAMES[2:4]]]
        for film, new in zip(films, (0, 4, 5), strict=True):
            fill(folder, info, list(frames(info)), [(k, k + 1) for k in range(new, new + 1)], names=NAMES[new:])
            folder.settle(film)
        assert there() == {0, 1, 2, 3, 4, 5}
        for film in (films[2], films[1], films[2]):
            folder.settle(film)
            assert there() == {0, 1, 2, 3, 4, 5}
        folder.settle(NAMES[5:7])
        assert there() == {0, 2, 3, 4, 5}  # 1 was the oldest film's alone, 6 was never made again
    (place / "mine.txt").write_text("mine")
    tidy(place)
    assert there() == {5} and (place / "mine.txt").exists()
    (place / "versions.json").write_text("[[3], spoilt")
    tidy(place)
    assert there() == {5}
    with Folder(place) as folder:
        assert folder.versions() == []
        folder.settle(NAMES[5:6])
        assert folder.versions() == [NAMES[5:6]] and there() == {5}
    tidy(tmp_path / "none")
    assert stored(tmp_path / "none") == 0 and not (tmp_path / "none").exists()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("mine")
    for name in ("link", "file", "none/parts"):
        with pytest.raises(StoreError), Folder(tmp_path / name):
            pass
    with pytest.raises(StoreError, match="move it away"):
        check(tmp_path / "file")
    check(tmp_path / "parts")
    with pytest.raises(StoreError, match="make it first"):
        check(tmp_path / "none" / "parts")
    assert not (tmp_path / "none").exists()


def test_a_chunk_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4"))
    with Folder(tmp_path / "parts") as folder:
        with pytest.raises(RuntimeError, match="stop"), folder.new(NAMES[0], info, QUICK) as chunk:
            chunk.add(safe(next(iter(frames(info)))))
            raise RuntimeError("stop")
        with pytest.raises(TypeError), folder.new(NAMES[0], info, QUICK) as chunk:
            chunk.add(next(iter(frames(info))))  # type: ignore[arg-type]
        assert list((tmp_path / "parts").iterdir()) == []


FULL = """
    import resource, signal, sys
    sys.path.insert(0, {root!r})
    from pathlib import Path
    from tests.media.test_chunks import QUICK, NAMES, Folder, fill, frames, join, probe, safe
    from facedouble.errors import StoreError
    info = probe(Path({source!r}))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Folder(Path({folder!r}) / "o.mp4.parts") as folder:
            chunks = fill(folder, info, list(frames(info)), [(0, 10), (10, 20)])
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            {last}
    except StoreError as error:
        print(error)
        sys.exit(5)
"""


@pytest.mark.parametrize(("last", "left"), [
    ("fill(folder, info, list(frames(info)), [(0, 10)])", 2), ('join(chunks, Path({folder!r}) / "o.mp4", info, QUICK, [])', 2)])
def test_a_full_disk_keeps_what_was_finished(last: str, left: int, tmp_path: Path) -> None:
    source, out = clip(tmp_path / "a.mp4", 320, 240, 20), tmp_path / "out"
    out.mkdir()
    text = textwrap.dedent(FULL).format(root=str(ROOT), source=str(source), folder=str(out), last=last.format(folder=str(out)))
    done = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 5 and "disk is full" in done.stdout
    assert [p.name for p in out.iterdir()] == ["o.mp4.parts"]
    assert len(list((out / "o.mp4.parts").iterdir())) == left
    assert os.listdir(out / "o.mp4.parts")[0].endswith(".chunk")


FOOTAGE: dict[str, Callable[[Path], Path]] = {
    "closed groups": lambda p: clip(p / "a.mp4", frames=300, options={"g": "25", "bf": "3"}),
    "open groups": lambda p: clip(p / "a.mp4", frames=300, options={"g": "25", "x264-params": "open-gop=1:scenecut=0"}),
    "no key frames": lambda p: clip(p / "a.mp4", frames=300, options={"g": "25", "x264-params": "intra-refresh=1"}),
    "one key frame": lambda p: clip(p / "a.mp4", frames=300, options={"g": "1000", "sc_threshold": "0"}),
    "MPEG-2": lambda p: clip(p / "a.mpg", frames=300, codec="mpeg2video", options={"g": "12", "bf": "2"}),
    "transport stream": lambda p: clip(p / "a.ts", frames=300, options={"g": "25"}),
    "AVI": lambda p: clip(p / "a.avi", frames=300, codec="mpeg4", options={"g": "12", "bf": "2"}),
    "pictures": lambda p: clip(p / "a.mov", frames=300, codec="mjpeg", fmt="yuvj420p"),
    "late start": lambda p: clip(p / "a.mp4", frames=300, pts=[50 + 3 * i for i in range(300)], base=Fraction(1, 90),
                                 options={"g": "25"}),
}


def marks_of(info: MediaInfo) -> Marks:
    marking = Marking()
    for frame in frames(info):
        marking.add(frame)
    return marking.done()


@pytest.mark.parametrize("kind", FOOTAGE)
def test_frames_that_are_sought_are_those_of_the_first_reading(kind: str, tmp_path: Path) -> None:
    info = probe(FOOTAGE[kind](tmp_path))
    marks = marks_of(info)
    for spans in ([(160, 180)], [(60, 61), (222, 250), (255, 300)], [(0, 3), (90, 92)], [(0, 300)], []):
        found = list(spans_of(info, spans, marks))
        assert [f.index for f in found] == [i for a, b in spans for i in range(a, b)]
        assert all(mark(f) == marks.rows[f.index].item() for f in found)
        assert [f.index for f in spans_of(info, spans, None)] == [f.index for f in found]


def test_seeking_saves_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = probe(FOOTAGE["closed groups"](tmp_path))
    marks = marks_of(info)
    read: list[int] = []

    def counted(info: MediaInfo, seek: int | None = None) -> Any:
        for frame in frames(info, seek):
            read.append(frame.index)
            yield frame

    monkeypatch.setattr(again, "frames", counted)
    list(spans_of(info, [(220, 240)], marks))
    assert len(read) <= 20 + 25


def test_frames_that_come_out_otherwise_are_read_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that was put in the middle and gives other pixels, or other times, is not believed."""
    info = probe(FOOTAGE["closed groups"](tmp_path))
    marks = marks_of(info)
    for wrong in ("pixels", "times"):
        def faulty(info: MediaInfo, seek: int | None = None, wrong: str = wrong) -> Any:
            for n, frame in enumerate(frames(info, seek)):
                if seek is not None and n > 12:
                    planes = (frame.planes[0] ^ 1, *frame.planes[1:]) if wrong == "pixels" else frame.planes
                    frame = Frame(frame.index, frame.ticks + (wrong == "times"), frame.span, frame.time_base, planes,
                                  frame.pixel_format, frame.colour)
                yield frame

        monkeypatch.setattr(again, "frames", faulty)
        found = list(spans_of(info, [(150, 190), (250, 260)], marks))
        assert [mark(f) for f in found] == [marks.rows[i].item() for i in (*range(150, 190), *range(250, 260))]


def test_other_footage_is_noticed(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4", frames=100))
    marks = marks_of(info)
    other = probe(clip(tmp_path / "b.mp4", frames=80))
    with pytest.raises(FacedoubleError, match="footage changed"):
        list(spans_of(other, [(0, 100)], marks))
    shifted = probe(clip(tmp_path / "c.mp4", frames=100, pts=[2 * i for i in range(100)]))
    with pytest.raises(FacedoubleError, match="footage changed"):
        list(spans_of(shifted, [(60, 100)], marks))
