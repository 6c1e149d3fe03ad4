"""Bad input gets one clear sentence; a destination either holds a whole file or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from facedouble.errors import InputRefused, StoreError
from facedouble.media.decode import frames, photo
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.options import EncodeOptions
from tests.media.make import clip, safe

FAST = EncodeOptions(preset="ultrafast")
ROOT = Path(__file__).resolve().parents[2]


def bad_files(folder: Path) -> dict[str, Path]:
    """One file per way of being no footage."""
    made: dict[str, Path] = {"missing": folder / "none.mp4", "folder": folder}
    texts = {
        "empty": b"", "text": b"hello, this is no film\n" * 50, "noise": np.random.default_rng(0).bytes(5000),
        "ffconcat": b"ffconcat version 1.0\nfile '/etc/passwd'\n", "m3u8": b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n", "mpd": b"<?xml version='1.0'?><MPD></MPD>",
    }
    for name, data in texts.items():
        made[name] = folder / f"{name}.mp4"
        made[name].write_bytes(data)
    whole = clip(folder / "whole.mp4").read_bytes()
    made["cut"] = folder / "cut.mp4"
    made["cut"].write_bytes(whole[: len(whole) * 2 // 3])
    made["one byte short"] = folder / "short.mp4"
    made["one byte short"].write_bytes(whole[:-1])
    made["header only"] = folder / "head.mp4"
    made["header only"].write_bytes(whole[:32])
    return made


def test_no_footage_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for name, path in bad_files(tmp_path).items():
        with pytest.raises(InputRefused) as caught:
            list(frames(probe(path)))
        text = str(caught.value)
        assert str(path) in text and "\n" not in text and len(text) < 300, name


@pytest.mark.parametrize("name", ["a.mkv", "a.avi"])
def test_a_cut_container_is_refused(name: str, tmp_path: Path) -> None:
    path = clip(tmp_path / name, codec="mpeg4")
    assert len(list(frames(probe(path)))) == 12
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(InputRefused, match="cut off"):
        probe(path)


def test_sound_only_is_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("mp2", rate=44100, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8820), np.int16), format="s16", layout="mono")
        sound.sample_rate = 44100
        box.mux(stream.encode(sound))
        box.mux(stream.encode(None))
    with pytest.raises(InputRefused, match="no picture"):
        probe(path)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (16384, 16)])
def test_impossible_sizes_are_refused(width: int, height: int, tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", width, height, frames=1, codec="ffv1", fmt="yuv444p") if width > 8 else _dot(tmp_path, width)
    with pytest.raises(InputRefused, match="pixels a side"):
        probe(path)


def _dot(folder: Path, side: int) -> Path:
    import av

    path = folder / "dot.mkv"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("ffv1", rate=25)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv444p"
        frame = av.VideoFrame.from_ndarray(np.zeros((side, side, 3), np.uint8), format="rgb24").reformat(format="yuv444p")
        box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    return path


def test_damaged_packets_are_marked_and_counted(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", 320, 240, 40, options={"g": "10", "crf": "15", "threads": "1"})
    whole = source.read_bytes()
    start = whole.index(b"mdat") + 3000
    some = 0
    for seed in range(12):
        data = bytearray(whole)
        for at in np.random.default_rng(seed).integers(start, min(start + 40000, len(data) - 3000), 60):
            data[at] ^= 0xFF
        (tmp_path / "b.mp4").write_bytes(data)
        held, again = (list(frames(probe(tmp_path / "b.mp4"))) for _ in range(2))
        assert [(f.index, f.ticks) for f in held] == [(k, held[0].ticks + k * (held[1].ticks - held[0].ticks)) for k in range(40)]
        for f, g in zip(held, again, strict=True):
            assert f.corrupt == g.corrupt
            assert all(np.array_equal(p, q) for p, q in zip(f.planes, g.planes, strict=True))
        some += any(f.corrupt for f in held)
    assert some == 12


def test_photos(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff" + b"junk" * 20)
    (tmp_path / "b.jpg").write_text("not a photo")
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        with pytest.raises(InputRefused):
            photo(tmp_path / name)


def write(source: Path, target: Path) -> None:
    info = probe(source)
    with Writer(target, info, FAST, []) as writer:
        for frame in frames(info):
            writer.add(safe(frame))


def test_an_existing_destination_is_left_alone(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4")
    target = tmp_path / "out.mp4"
    target.write_text("mine")
    with pytest.raises(StoreError, match="exists"):
        write(source, target)
    assert target.read_text() == "mine"


def test_a_destination_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4"))
    target = tmp_path / "out.mp4"
    with pytest.raises(StoreError, match="appeared"), Writer(target, info, FAST, []) as writer:
        for frame in frames(info):
            writer.add(safe(frame))
        target.write_text("theirs")
    assert target.read_text() == "theirs"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        write(clip(tmp_path / "a.mp4"), tmp_path / "none" / "out.mp4")


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4"))
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="stop"), Writer(tmp_path / "out" / "o.mp4", info, FAST, []) as writer:
        writer.add(safe(next(iter(frames(info)))))
        raise ValueError("stop")
    assert list((tmp_path / "out").iterdir()) == []


def test_only_safe_frames_are_encoded(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4"))
    with pytest.raises(TypeError), Writer(tmp_path / "o.mp4", info, FAST, []) as writer:
        writer.add(next(iter(frames(info))))  # type: ignore[arg-type]
    assert not (tmp_path / "o.mp4").exists()


SCRIPT = """
    import resource, signal, sys, time
    sys.path.insert(0, {root!r})
    from pathlib import Path
    from tests.media.make import safe
    from facedouble.errors import StoreError
    from facedouble.media.decode import frames
    from facedouble.media.encode import Writer
    from facedouble.media.probe import probe
    from facedouble.options import EncodeOptions
    info = probe(Path({source!r}))
    {before}
    try:
        with Writer(Path({target!r}), info, EncodeOptions(preset="ultrafast", crf=1), []) as writer:
            for frame in frames(info):
                writer.add(safe(frame))
                {during}
    except StoreError as error:
        print(error)
        sys.exit(5)
"""


def child(tmp_path: Path, before: str = "pass", during: str = "pass") -> subprocess.Popen[str]:
    source = clip(tmp_path / "a.mp4", 320, 240, 40)
    (tmp_path / "out").mkdir()
    text = textwrap.dedent(SCRIPT).format(root=str(ROOT), source=str(source),
                                          target=str(tmp_path / "out" / "o.mp4"), before=before, during=during)
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    limit = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))"
    process = child(tmp_path, before=limit)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 5 and "disk is full" in said
    assert list((tmp_path / "out").iterdir()) == []


def test_a_killed_process_leaves_nothing(tmp_path: Path) -> None:
    process = child(tmp_path, during="print(frame.index, flush=True); time.sleep(.2)")
    assert process.stdout is not None
    while process.stdout.readline().strip() != "5":
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    time.sleep(0.1)
    assert list((tmp_path / "out").iterdir()) == []


def test_streams_without_a_decoder_are_no_bug(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", audio=[(16000, 0.5, 0.0)]).read_bytes()
    (tmp_path / "picture.mp4").write_bytes(source.replace(b"avc1", b"xxx1"))
    with pytest.raises(InputRefused, match="no decoder"):
        probe(tmp_path / "picture.mp4")
    # as the spatial sound of some telephones
    (tmp_path / "sound.mp4").write_bytes(source.replace(b"mp4a", b"xxxa").replace(b"esds", b"xsds"))
    info = probe(tmp_path / "sound.mp4")
    assert info.audio == () and info.dropped == ("audio 1",)
    assert len(list(frames(info))) == 12
