"""The walkers of files: what they know, what they find, and what hostile files do to them."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from facedouble.audit import ebml, nal, riff
from facedouble.audit.boxes import texts, walk_film
from facedouble.audit.ebml import walk_wrapped
from facedouble.audit.riff import walk_wave
from facedouble.audit.walk import MOST_ODDS, Odd, Walk, shown
from facedouble.pipeline.audit.container import container
from facedouble.pipeline.audit.expected import expected
from tests.audit.test_container import film, said
from tests.media.make import clip


@pytest.fixture(scope="module")
def mp4(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("walks")
    return film(clip(folder / "in.mp4", audio=[(16000, 0.48, 0.0)]), folder / "out.mp4").read_bytes()


def odd(data: bytes, walk: Callable[[Any], Any] = walk_film) -> list[str]:
    """What a walk says, of pictures too."""
    file = io.BytesIO(data)
    found = walk(file)
    inner = Walk(file)
    for track in getattr(found, "tracks", ()):
        if track.kind == "vide":
            nal.pictures(inner, track)
    return [o.what for o in (*found.odds, *inner.odds)]


def test_a_clean_film_has_nothing_odd_and_its_streams_are_read(mp4: bytes) -> None:
    found = walk_film(io.BytesIO(mp4))
    assert odd(mp4) == []
    video, sound = found.tracks
    assert (video.width, video.height, len(video.offsets), video.head) == (96, 64, 12, 2)
    assert (sound.rate, sound.channels, sound.total - sound.head) == (16000, 1, 7680)
    assert sorted((video.times - video.head).tolist()) == list(range(12))
    assert int(video.sizes.sum() + sound.sizes.sum()) == found.media[1] - found.media[0]


def test_almost_no_bit_of_the_index_is_free(mp4: bytes) -> None:
    """Two bits of every byte changed, one by one. Unseen may change: lengths and rates by their rounding, and a few flags."""
    stop = walk_film(io.BytesIO(mp4)).media[0]
    unseen = [at for at in range(stop) for bit in (1, 128) if not odd(mp4[:at] + bytes([mp4[at] ^ bit]) + mp4[at + 1 :])]
    assert len(unseen) < 0.01 * 2 * stop, unseen


def test_a_cut_is_found_at_every_byte_of_the_index(mp4: bytes) -> None:
    stop = walk_film(io.BytesIO(mp4)).media[0]
    assert all(odd(mp4[:at]) for at in [*range(stop), *range(stop, len(mp4), 97), len(mp4) - 1])


def mutated(data: bytes, rng: np.random.Generator, reach: int) -> bytes:
    """A file with some of its bytes changed, doubled, or gone, mostly where its index is."""
    made = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        at, how = int(rng.integers(0, min(reach, len(made)))), int(rng.integers(5))
        if how == 0:
            made[at] ^= 1 << int(rng.integers(8))
        elif how == 1:
            made[at : at + 4] = rng.bytes(4)
        elif how == 2:
            made[at : at + 4] = (b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\1")[int(rng.integers(4))]
        elif how == 3:
            del made[at : at + int(rng.integers(1, 50))]
        else:
            made[at:at] = made[int(rng.integers(0, len(made))) :][: int(rng.integers(1, 400))]
    return bytes(made)


def test_mutations_neither_crash_nor_hang_nor_eat_memory(mp4: bytes, mkv: bytes) -> None:
    rng = np.random.default_rng(6)
    files = [(mp4, walk_film, 3000), (mkv, walk_wrapped, len(mkv)), (wav(tone()), walk_wave, 100)]
    worst = 0.0
    tracemalloc.start()
    for data, walk, reach in files:
        for _ in range(250):
            made = mutated(data, rng, reach)
            began = time.perf_counter()
            odd(made, walk)
            texts(io.BytesIO(made))
            worst = max(worst, time.perf_counter() - began)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert worst < 2
    assert peak < 50_000_000


def boxed(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def test_a_million_boxes_are_not_walked(mp4: bytes) -> None:
    began = time.perf_counter()
    found = walk_film(io.BytesIO(mp4 + boxed(b"free") * 1_000_000))
    assert time.perf_counter() - began < 5
    assert 0 < len(found.odds) <= MOST_ODDS and any("more than" in o.what for o in found.odds)


def test_boxes_in_boxes_in_boxes_end_somewhere() -> None:
    deep = b""
    for _ in range(2000):
        deep = boxed(b"moov", deep)
        deep = boxed(b"udta", deep) if len(deep) % 2 else deep
    assert odd(deep)
    texts(io.BytesIO(deep))


def test_tables_that_claim_more_than_there_is_are_refused(mp4: bytes) -> None:
    for kind in (b"stsz", b"stts", b"stsc", b"stco", b"ctts", b"stss"):
        at = mp4.index(kind) + (12 if kind == b"stsz" else 8)
        tracemalloc.start()
        assert odd(mp4[:at] + b"\x7f\xff\xff\xff" + mp4[at + 4 :]), kind
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
        tracemalloc.stop()


def test_other_coders_are_found(mp4: bytes) -> None:
    for codec in (b"hvc1", b"av01", b"mp4v"):
        assert any(codec.decode() in w for w in odd(mp4.replace(b"avc1\0\0\0\0\0\0\0\1", codec + b"\0\0\0\0\0\0\0\1")))


def test_texts_of_a_camera_are_read() -> None:
    place = boxed(b"meta", bytes(4) + boxed(b"ilst", boxed(b"data", b"Grozny 12")))
    tag = boxed(b"udta", boxed(b"\xa9mak", b"\0\6\x15\xc7Camera of Igor") + place)
    found = texts(io.BytesIO(boxed(b"moov", tag) + boxed(b"mdat", b"not this text")))
    assert {"Camera of Igor", "Grozny 12"} <= {text for _, text in found}
    assert "not this text" not in {text for _, text in found}


def test_names_in_reports_are_harmless() -> None:
    assert shown(b"a\x00\x1b[31m<script>" + b"x" * 100) == "a??[31m?script?xxxxxxxxx"


@pytest.fixture(scope="module")
def mkv(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film wrapped in Matroska, FFmpeg's tags (the lengths of streams) overwritten by padding."""
    folder = tmp_path_factory.mktemp("mkv")
    made = film(clip(folder / "in.mp4", audio=[(16000, 0.48, 0.0)]), folder / "out.mp4")
    with av.open(str(made)) as box, av.open(str(folder / "out.mkv"), "w", options={"fflags": "+bitexact"}) as out:
        streams: dict[int, Any] = {s.index: out.add_stream_from_template(s) for s in box.streams}
        for packet in box.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
    data = (folder / "out.mkv").read_bytes()
    at = data.index(b"\x12\x54\xc3\x67", data.index(b"\x12\x54\xc3\x67") + 4)  # behind the one in the list of places
    size, wide = ebml._vint(data[at + 4 : at + 12], False)
    total = 4 + wide + size
    return data[:at] + b"\xec\x01" + (total - 9).to_bytes(7, "big") + bytes(total - 9) + data[at + total :]


def test_a_clean_matroska_has_nothing_odd(mkv: bytes) -> None:
    assert odd(mkv, walk_wrapped) == []
    video, sound = walk_wrapped(io.BytesIO(mkv)).tracks
    assert (video.codec, len(video.offsets), video.width) == ("V_MPEG4/ISO/AVC", 12, 96)
    assert (sound.codec, len(sound.config)) == ("A_AAC", 5)


def element(kind: int, body: bytes) -> bytes:
    name = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    return name + b"\x08" + len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize("kind", [0x1254C367, 0x1941A469, 0x1043A770, 0xEC])
def test_tags_files_chapters_and_padding_in_matroska_are_found(kind: int, mkv: bytes) -> None:
    assert odd(mkv + element(kind, b"Ruslan"), walk_wrapped)
    size_at = mkv.index(b"\x18\x53\x80\x67") + 4
    size, wide = ebml._vint(mkv[size_at : size_at + 8], False)
    more = element(kind, b"Ruslan")
    grown = mkv[:size_at] + ((1 << 7 * wide) | (size + len(more))).to_bytes(wide, "big") + mkv[size_at + wide :] + more
    assert any("padding" in w or "does not belong" in w for w in odd(grown, walk_wrapped))


def test_what_ffmpeg_writes_of_itself_into_matroska_is_found(tmp_path: Path) -> None:
    assert any("number" in w for w in odd(clip(tmp_path / "a.mkv", tags={"title": "Ruslan"}).read_bytes(), walk_wrapped))


def test_a_name_or_a_language_in_matroska_is_found(mkv: bytes) -> None:
    assert odd(mkv.replace(b"\x22\xb5\x9c\x83und", b"\x22\xb5\x9c\x83rus"), walk_wrapped)
    assert odd(mkv.replace(b"\x4d\x80\x84Lavf", b"\x4d\x80\x84Igor"), walk_wrapped)


def test_every_cut_of_a_matroska_is_found(mkv: bytes) -> None:
    assert all(odd(mkv[:at], walk_wrapped) for at in range(0, len(mkv), 41))


def test_a_wrong_check_sum_in_matroska_is_found() -> None:
    inner = element(0x4286, b"\1")
    good = element(0x1A45DFA3, b"\xbf\x84" + zlib.crc32(inner).to_bytes(4, "little") + inner)
    bad = element(0x1A45DFA3, b"\xbf\x84" + b"Igor" + inner)
    assert not any("check sum" in w for w in odd(good, walk_wrapped))
    assert any("check sum" in w for w in odd(bad, walk_wrapped))


def tone() -> bytes:
    return bytes((3000 * np.sin(np.arange(2000) / 9)).astype("<i2").tobytes())


PLAIN = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)  # 16 kHz, one channel of 16 bits


def wav(samples: bytes, more: bytes = b"", before: bytes = b"", fmt: bytes = PLAIN) -> bytes:
    body = b"WAVE" + before + chunk(b"fmt ", fmt) + chunk(b"data", samples) + more
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def test_a_clean_wav_has_nothing_odd() -> None:
    found = walk_wave(io.BytesIO(wav(tone())))
    assert (found.odds, found.rate, found.channels, found.samples) == ((), 16000, 1, 2000)
    assert odd(wav(tone(), chunk(b"JUNK", bytes(28))), walk_wave) == []


@pytest.mark.parametrize("kind", [b"LIST", b"bext", b"iXML", b"id3 ", b"cue ", b"smpl", b"axml", b"_PMX", b"umid", b"cart",
                                  b"PEAK", b"JUNK", b"data",
                                  b"what"])
def test_every_other_chunk_of_a_wav_is_found(kind: bytes) -> None:
    assert odd(wav(tone(), chunk(kind, b"Ruslan, 12")), walk_wave)
    assert odd(wav(tone(), before=chunk(kind, b"Ruslan, 12")), walk_wave)


@pytest.mark.parametrize("data", [wav(tone()) + b"x", wav(tone())[:-1], wav(tone())[:20], wav(tone()[:-1]), b"RIFF", b"",
                                  wav(tone(), fmt=PLAIN + b"Ruslan"),
                                  wav(tone(), fmt=struct.pack("<HHIIHH", 85, 1, 16000, 32000, 2, 16)),
                                  wav(tone(), fmt=struct.pack("<HHIIHH", 1, 0, 16000, 32000, 0, 16)),
                                  wav(tone() + b"x")[:-1] + b"x"], ids=range(10))
def test_broken_wavs_are_found(data: bytes) -> None:
    assert odd(data, walk_wave)


def test_ffmpegs_wav_names_it(tmp_path: Path) -> None:
    for flags, clean in (({"fflags": "+bitexact"}, True), ({}, False)):
        path = tmp_path / f"{clean}.wav"
        with av.open(str(path), "w", options=flags) as box:
            stream: Any = box.add_stream("pcm_s16le", rate=16000)
            stream.codec_context.layout = "mono"
            frame = av.AudioFrame.from_ndarray(np.frombuffer(tone(), "<i2")[None].copy(), format="s16", layout="mono")
            frame.sample_rate = 16000
            box.mux(stream.encode(frame))
            box.mux(stream.encode(None))
        assert (odd(path.read_bytes(), walk_wave) == []) == clean


def test_a_picture_coded_otherwise_is_read_to_its_last_bit() -> None:
    """An SPS of x264 (360 x 288, 25 frames/s), and the same with more behind it."""
    good = bytes.fromhex("67640015acd941709797c04400000300040000030 0c83c58b658".replace(" ", ""))
    assert (nal.sps(good).width, nal.sps(good).height) == (360, 288)
    for bad in (good + b"Igor\x80", good[:-4], good[:1], b"g" + bytes(30), b"g" + b"\xff" * 30):
        with pytest.raises(ValueError):
            nal.sps(bad)


def test_riff_and_ebml_say_where(mkv: bytes) -> None:
    assert riff.walk_wave(io.BytesIO(b"not")).odds == (Odd("This is no WAV file", 0),)
    assert walk_wrapped(io.BytesIO(b"not")).odds[-1].what == "There is no stream in the file"


def test_a_film_in_matroska_passes_every_check_of_the_container(mkv: bytes, tmp_path: Path) -> None:
    source = clip(tmp_path / "Ruslan.mp4", audio=[(16000, 0.48, 0.0)])
    (tmp_path / "safe.mkv").write_bytes(mkv)
    assert said(container(tmp_path / "safe.mkv", [source], expected(source))) == {}
    (tmp_path / "other.mkv").write_bytes(mkv + b"Ruslan")
    found = said(container(tmp_path / "other.mkv", [source], expected(source)))
    assert {"parts of the file", "strings of the footage"} <= set(found)


def test_a_wav_is_looked_through(tmp_path: Path) -> None:
    (tmp_path / "safe.wav").write_bytes(wav(tone()))
    assert said(container(tmp_path / "safe.wav", [], None)) == {}
    (tmp_path / "other.wav").write_bytes(wav(tone(), chunk(b"bext", b"Ruslan")))
    assert "parts of the file" in said(container(tmp_path / "other.wav", [], None))
