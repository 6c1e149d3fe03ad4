"""Files are read in another process: what comes out is the same, what goes wrong there stays there."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facedouble.age.reader import Payload, open_payload
from facedouble.age.sealing import generate, seal
from facedouble.disk import Lent
from facedouble.errors import InputRefused, MachineError, StoreError
from facedouble.media.again import Marking
from facedouble.media.apart import reading
from facedouble.media.apart.keeper import Keeper, keeper
from facedouble.media.apart.reading import Broken, memory, pieces_of, source, value_of
from facedouble.media.decode import frames
from facedouble.media.inside import pictures, sounds, streams
from facedouble.media.inside.piece import OFTEN, Job, Piece
from facedouble.media.probe import probe
from facedouble.media.sound import pcm, sample_count
from facedouble.types import MediaInfo
from tests.media.make import clip

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = (sys.executable, str(Path(__file__).with_name("hostile.py")))


def given(info: MediaInfo, seek: int | None = None) -> dict[str, Any]:
    """What the job is asked for."""
    return {"demuxer": info.container, "width": info.width, "height": info.height, "rotation": info.rotation, "seek": seek,
            "rate": info.rate.as_integer_ratio(), "base": info.time_base.as_integer_ratio(), "room": 1 << 24}


CASES: dict[str, dict[str, Any]] = {
    "plain": {}, "quarter": {"rotation": 90}, "three quarters": {"rotation": 270}, "upside down": {"rotation": 180},
    "odd": {"width": 97, "height": 63, "codec": "ffv1"}, "ten bits": {"codec": "ffv1", "fmt": "yuv420p10le"},
    "turned 4:2:2": {"fmt": "yuv422p", "rotation": 90}, "4:4:4": {"fmt": "yuv444p"},
    "transparent": {"codec": "ffv1", "fmt": "bgra"},
    "any time": {"pts": [0, 1, 5, 6, 7, 20, 21, 22, 40, 41, 42, 43]}, "sought": {"frames": 60, "options": {"g": "12", "bf": "2"}},
    "damaged": {"frames": 40, "width": 320, "height": 240, "options": {"g": "10", "crf": "15"}},
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_pictures_as_in_this_process(case: str, tmp_path: Path) -> None:
    path = clip(tmp_path / ("a.mkv" if CASES[case].get("codec") else "a.mp4"), **CASES[case])
    if case == "damaged":
        data, rng = bytearray(path.read_bytes()), np.random.default_rng(5)
        for at in rng.integers(data.index(b"mdat") + 3000, len(data) - 3000, 60):
            data[at] ^= 0xFF
        path.write_bytes(data)
    info, seek = probe(path), 30 if case == "sought" else None
    made = list(frames(info, seek))
    with open(path, "rb") as file:
        count = 0
        for piece in pictures.pictures(file, given(info, seek)):
            if piece is None:
                continue
            frame = made[count]
            assert piece.head == {"ticks": frame.ticks, "span": frame.span, "format": frame.pixel_format,
                                  "corrupt": frame.corrupt}
            if not any(earlier.corrupt for earlier in made[: count + 1]):  # what FFmpeg puts in place of damage varies by itself
                assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(piece.arrays, frame.planes, strict=True))
            count += 1
    assert count == len(made) > 0
    assert any(frame.corrupt for frame in made) is (case == "damaged")


def test_the_same_samples_as_in_this_process(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4", audio=[(48000, 0.7, 0.2), (16000, 0.4, 0.0)]))
    for sound in info.audio:
        made = np.concatenate(list(pcm(info, sound.index)))
        with open(info.path, "rb") as file:
            asked = {"demuxer": info.container, "index": sound.index, "channels": sound.channels, "room": 1 << 20}
            found = [p for p in sounds.samples(file, asked) if isinstance(p, Piece)]
            parts = [p.arrays[0] if p.arrays else np.zeros((p.head["silent"], sound.channels), np.float32) for p in found]
        assert np.array_equal(np.concatenate(parts), made)


def test_frames_that_are_kept_do_not_change(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4", frames=30))
    kept, sums = [], []
    for frame in frames(info):
        kept.append(frame)
        sums.append(frame.planes[0].tobytes())
    assert [frame.planes[0].tobytes() for frame in kept] == sums and len(set(sums)) == 30


@pytest.fixture(scope="module")
def hostile() -> Iterator[Keeper]:
    made = Keeper(HOSTILE)
    yield made
    made.close()


def test_nothing_that_a_decoder_does_not_need_works(hostile: Keeper, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    with memory("footage", b"x" * 100) as found:
        done = value_of(found, "tries", {"folder": str(tmp_path), "ring": 66}, hostile)
    assert len(done) > 25
    assert [what for what, works in done.items() if works] == []
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize("layer", ["landlock", "seccomp", "limits"])
def test_the_layers_hold_here(layer: str) -> None:
    held = reading.layers()
    assert layer not in held.lacking
    assert set(held.refused) == {"file", "socket", "unix socket", "process", "program"}


@pytest.mark.parametrize(("job", "how"), [("segfault", "died"), ("aborts", "died"), ("endless", "stuck"), ("busy", "stuck")])
def test_a_child_that_does_not_end_well(job: str, how: str, hostile: Keeper) -> None:
    begun = time.monotonic()
    with memory("footage", b"x" * 100) as found, pytest.raises(Broken) as caught:
        list(pieces_of(found, job, {"width": 16, "height": 16}, by=hostile, patience=1.5))
    assert caught.value.how == how and time.monotonic() - begun < 10
    assert "\n" not in str(caught.value) and str(caught.value).startswith("footage: ")


@pytest.mark.parametrize("job", ["bomb", "giant"])
def test_memory_is_limited(job: str, hostile: Keeper) -> None:
    with memory("footage", b"x") as found, pytest.raises(InputRefused, match=r"more memory than|cannot be read"):
        list(pieces_of(found, job, {}, by=hostile))


LIES = {
    "noise": "\x00\x01\x02", "no object": "[1, 2]", "nested": "[" * 60000, "no number": '{"bytes": NaN}',
    "more than there is": '{"bytes": 2000000, "last": false}', "less than nothing": '{"bytes": -1, "last": false}',
    "a fraction": '{"bytes": 1.5, "last": true}', "text": '{"bytes": "9", "last": true}', "yes": '{"bytes": true, "last": true}',
    "no end": '{"end": true}', "an unknown refusal": '{"refused": 99, "text": "x"}', "no text": '{"refused": 7, "text": 5}',
    "a long text": '{"refused": 7, "text": "' + "x" * 5000 + '"}', "a bug of ours": '{"refused": 1, "text": "x"}',
    "no value": '{"bytes": 8, "last": true}', "nothing asked": '{"what": 1}', "digits": '{"bytes": ' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("lie", LIES)
def test_what_cannot_be_is_not_believed(lie: str, hostile: Keeper) -> None:
    with memory("footage", b"x") as found, pytest.raises(Broken) as caught:
        value_of(found, "says", {"messages": [LIES[lie][:65000]]}, hostile)
    assert caught.value.how == "lied"


def test_words_of_a_child_do_nothing_to_a_terminal(hostile: Keeper) -> None:
    said = json.dumps({"refused": 7, "text": "\x1b]0;owned\x07 is\nno film"})
    with memory("footage", b"x") as found, pytest.raises(InputRefused) as caught:
        value_of(found, "says", {"messages": [said]}, hostile)
    assert str(caught.value) == "footage: ?]0;owned? is?no film"


def test_more_pieces_than_the_file_has_bytes(hostile: Keeper) -> None:
    with memory("footage", b"x") as found, pytest.raises(Broken, match="cannot be"):
        list(pieces_of(found, "says", {"messages": ['{"silent":1}'], "times": 4200}, by=hostile))


def test_a_child_that_takes_no_word_back_holds_nobody_up(hostile: Keeper) -> None:
    count = 2000
    with memory("footage", b"x") as found, ThreadPoolExecutor() as other:
        got = pieces_of(found, "says", {"messages": ['{"bytes":1}'], "times": count}, by=hostile)
        first = next(got)
        rest = other.submit(lambda: sum(1 for _ in got))
        try:
            assert first.data.size == 1 and rest.result(20) == count
        except TimeoutError:
            hostile.close()  # whoever waits for the child waits no more
            raise


def test_a_value_is_no_longer_than_values_are(hostile: Keeper) -> None:
    with memory("footage", b"x") as found:
        assert len(value_of(found, "long", {"letters": reading.LONGEST_VALUE - 2}, hostile)) == reading.LONGEST_VALUE - 2
        with pytest.raises(Broken) as caught:
            value_of(found, "long", {"letters": reading.LONGEST_VALUE}, hostile)
    assert caught.value.how == "lied" and reading.LONGEST_VALUE < 1 << 25  # its JSON may take twenty times as much


@pytest.mark.parametrize("job", [streams.reading, sounds.count])
def test_a_value_that_takes_long_is_no_silence(job: Job, tmp_path: Path) -> None:
    """The parent waits for each piece, not for the whole of a film of hours."""
    path = clip(tmp_path / "a.mp4", frames=80, audio=[(48000, 2.0, 0.0)])
    with open(path, "rb") as file:
        asked = {"demuxer": "mov", "index": 1, "edits": True, "decode": True, "room": 1 << 20}
        said = [-1, *(k for k, step in enumerate(job(file, asked)) if step is not None)]
    assert max(b - a for a, b in pairwise(said)) <= 2 * OFTEN and len(said) > 5


@pytest.mark.parametrize("job", ["segfault", "backwards", "giant"])
def test_a_film_that_breaks_its_reader_is_refused(job: str, hostile: Keeper, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    info = probe(clip(tmp_path / "a.mp4"))
    whole = reading.pieces_of

    def other(found: reading.Source, _: str, *rest: Any, **kept: Any) -> Any:
        return whole(found, job, *rest, **{**kept, "by": hostile})

    monkeypatch.setattr(reading, "pieces_of", other)
    with pytest.raises(InputRefused, match=r"a\.mp4: "):
        list(frames(info))
    monkeypatch.undo()
    assert len(list(frames(info))) == 12


def lying(hostile: Keeper, job: str, more: dict[str, Any]) -> Any:
    """`reading.pieces_of` of a child that does something else than it is asked."""
    whole = reading.pieces_of

    def other(found: reading.Source, _: str, given: dict[str, Any], *rest: Any, **kept: Any) -> Any:
        return whole(found, job, {**given, **more}, *rest, **{**kept, "by": hostile})

    return other


@pytest.mark.parametrize("lie", [{"ticks": 1 << 63}, {"span": 1 << 31}, {"ticks": -1 << 63}, {"span": 0}])
def test_numbers_of_a_picture_fit_where_they_are_kept(lie: dict[str, int], hostile: Keeper, tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    info = probe(clip(tmp_path / "a.mp4"))
    for name, number in lie.items():  # the last that is believed
        monkeypatch.setattr(reading, "pieces_of", lying(hostile, "odd", {"odd": {name: number - (1 if number > 1 else -1)}}))
        marking = Marking()
        for frame in frames(info):
            marking.add(frame)
        assert len(marking.done()) == 1
        monkeypatch.undo()
    monkeypatch.setattr(reading, "pieces_of", lying(hostile, "odd", {"odd": lie}))
    with pytest.raises(Broken, match="cannot be"):
        list(frames(info))


def test_silence_that_a_file_cannot_hold(hostile: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = probe(clip(tmp_path / "a.mp4", audio=[(8000, 0.5, 0.0)]))
    hour = 3600 * (1 << 18)
    monkeypatch.setattr(reading, "pieces_of", lying(hostile, "silences", {"silent": hour, "times": 2}))
    with pytest.raises(Broken, match="cannot be"):
        deque(pcm(info, 1), 0)
    monkeypatch.setattr(reading, "pieces_of", lying(hostile, "says", {"messages": [], "value": 1 << 40}))
    with pytest.raises(Broken, match="cannot be"):
        sample_count(info, 1)


def living(pids: set[int]) -> set[int]:
    """Those of them that are there and no zombies."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.add(pid)
    return found


def children(pid: int) -> set[int]:
    """Numbers of the processes that it started."""
    try:
        return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()


def only_child(pid: int, within: float = 10.0) -> set[int]:
    """The one process of its that stays: what `probe` read with has answered, but may not have ended yet on a busy machine."""
    last = time.monotonic() + within
    while len(found := children(pid)) != 1 and time.monotonic() < last:
        time.sleep(0.02)
    assert len(found) == 1
    return found


def gone(pids: set[int], within: float = 10.0) -> bool:
    last = time.monotonic() + within
    while living(pids) and time.monotonic() < last:
        time.sleep(0.02)
    return not living(pids)


def server_of(by: Keeper) -> int:
    assert by._process is not None
    return by._process.pid


def test_no_child_outlives_its_reading(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4", frames=60))
    film = frames(info)
    next(film)
    server = server_of(keeper())
    working = children(server)
    assert working
    film.close()
    assert gone(working)
    assert len(list(frames(info))) == 60


def test_a_server_that_cannot_fork_now_goes_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Others' films are being read by it."""
    info = probe(clip(tmp_path / "a.mp4", frames=60))
    with (closing(Keeper()) as by, source(tmp_path / "a.mp4") as found,
          closing(pieces_of(found, "pictures", given(info), 1 << 20, by=by)) as film):
        next(film)
        server = server_of(by)
        for limit, most in ((resource.RLIMIT_FSIZE, 1), (resource.RLIMIT_NOFILE, len(os.listdir(f"/proc/{server}/fd")))):
            kept = resource.prlimit(server, limit)
            resource.prlimit(server, limit, (most, kept[1]))
            near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with near, far, pytest.raises(MachineError, match="no process can be started"):
                by.fork(far.fileno(), found.lent.descriptor, 1 << 20)
            resource.prlimit(server, limit, kept)
        assert value_of(found, "tags", {"demuxer": "mov"}, by)
        assert len(list(film)) == 59 and server_of(by) == server
    assert capfd.readouterr().err == ""


def test_a_server_that_was_ended_is_started_again(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    by = Keeper()
    with source(path) as found:
        assert value_of(found, "tags", {"demuxer": "mov"}, by)
        first = server_of(by)
        os.kill(first, signal.SIGKILL)
        assert value_of(found, "tags", {"demuxer": "mov"}, by)
        second = server_of(by)
    by.close()
    assert first != second and gone({first, second})


ENDING = """
    import os, signal, sys, time
    sys.path.insert(0, {root!r})
    from pathlib import Path
    {before}
    from facedouble.media.apart.keeper import keeper
    from facedouble.media.decode import frames
    from facedouble.media.probe import probe
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background lets its children ignore it
    film = frames(probe(Path({film!r})))
    next(film)
    try:
        print(keeper()._process.pid, flush=True)
        for frame in film:
            time.sleep(.2)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_nothing_is_left_when_the_program_is_stopped(how: signal.Signals, code: int, tmp_path: Path) -> None:
    film = clip(tmp_path / "a.mp4", frames=200)
    text = textwrap.dedent(ENDING).format(root=str(ROOT), film=str(film),
                                          before="from facedouble.isolation import deny_network; deny_network()")
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout is not None
        server = int(running.stdout.readline())
        left = {server, *only_child(server)}
        os.killpg(running.pid, how)  # as a terminal does
        assert running.wait(35) == code
    assert gone(left)


def test_a_forked_process_has_a_server_of_its_own(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    probe(path)
    text = f"""
        import os, sys
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from facedouble.media.probe import probe
        path = Path({str(path)!r})
        probe(path)
        if (pid := os.fork()) == 0:
            probe(path)
            sys.exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
        probe(path)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["folder", "pipe", "none"])
def test_what_is_no_file_is_not_waited_for(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputRefused), source(tmp_path / name):
        pass


def sealed(path: Path) -> tuple[Path, Payload]:
    """The same file encrypted, and the key of its contents."""
    identity, recipient = generate()
    made = path.with_suffix(".age")
    made.write_bytes(seal(path.read_bytes(), [recipient]))
    with open(made, "rb") as file:
        return made, open_payload(file, [identity])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_an_encrypted_film_is_decrypted_in_the_child_and_its_end_is_its_own(name: str, tmp_path: Path) -> None:
    path = clip(tmp_path / name, 320, 240, 120, codec="mpeg2video" if name == "a.ts" else "mjpeg",
                fmt="yuv420p" if name == "a.ts" else "yuvj420p", options={"qmin": "1", "qmax": "1", "b": "40M"})
    info, (age, payload) = probe(path), sealed(path)
    plain = [frame.planes[0].tobytes() for frame in frames(info)]

    def read() -> list[bytes]:
        with open(age, "rb") as file:
            found = reading.Source("film", Lent(file.fileno(), payload.key, payload.start), age.stat().st_size)
            return [piece.data[: 320 * 240].tobytes() for piece in pieces_of(found, "pictures", given(info), 1 << 20)]

    assert read() == plain
    whole = age.read_bytes()
    chunks = range(payload.start + 1000, len(whole), (1 << 16) + 16)
    assert len(chunks) > 2
    for at in chunks:  # altered in any chunk, it is not taken for a film that ends there
        age.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(StoreError, match="film: the contents of this file were altered"):
            read()
