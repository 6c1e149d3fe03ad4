"""Strings of the footage: found however they are coded, and never in noise."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
import zlib

import numpy as np
import pytest

from facedouble.audit.strings import Needle, Search, inflate, needles, text_in
from facedouble.audit.walk import Walk

NAME = "Ruslan Kadyrov"
RNG = np.random.default_rng(3)
NOISE = RNG.bytes(200_000)


def found(data: bytes, *names: str) -> set[str]:
    """The codings in which any of the names is found in coded data."""
    search = Search(needles(Needle(n, "a name") for n in names or (NAME,)), len(data), 1000)
    walk = Walk(io.BytesIO(data))
    hits = [*search.file(walk, (0, len(data))), *search.inflated(data, 0)]
    assert all(data[h.at : h.at + 2] for h in hits)
    return {h.how for h in hits}


def zipped(text: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a.txt", text)
    return held.getvalue()


CODED = {"plain": NAME.encode(), "capitals": NAME.upper().encode(), "UTF-16": NAME.encode("utf-16-le"),
         "UTF-16 the other way": NAME.encode("utf-16-be"),
         "base64": base64.b64encode(NAME.encode()), "base64, one on": base64.b64encode(b"x" + NAME.encode() + b"yy"),
         "base64, two on": base64.b64encode(b"xx" + NAME.encode() + b"y"),
         "base64 of UTF-16": base64.b64encode(b"x" + NAME.encode("utf-16-le")),
         "hexadecimal": NAME.encode().hex().upper().encode(), "zlib": zlib.compress(b"by " + NAME.encode() * 3),
         "best": zlib.compress(NAME.encode(), 9),
         "gzip": gzip.compress(NAME.encode()), "zip": zipped(NAME.encode() * 2),
         "UTF-16 deflated": zlib.compress(NAME.encode("utf-16-le")),
         "a part": b"Kadyrov"}


@pytest.mark.parametrize("how", CODED)
@pytest.mark.parametrize("at", [0, 4099, 199_000])
def test_a_name_is_found_in_every_coding(how: str, at: int) -> None:
    assert found(NOISE[:at] + CODED[how] + NOISE[at:])


def test_noise_holds_no_name() -> None:
    names = ["Ruslan Kadyrov", "IMG_2041.MOV", "Анна", "flat 12", "take_d10", "North", "/home/user/footage", "+55.7558+037.6173/"]
    for seed in range(10):
        assert not found(np.random.default_rng(seed).bytes(1_000_000), *names)


@pytest.mark.parametrize("form", [str.lower, str.upper, str])
def test_names_in_other_letters_are_found(form: type[str]) -> None:
    for name in ("Анна Петрова", "Zoë Müller", "محمد علي"):
        assert found(NOISE + form(name).encode() + NOISE, name)
        assert found(NOISE + form(name).encode("utf-16-be") + NOISE, name)


def test_a_name_across_two_blocks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.audit.strings.BLOCK", 1000)
    assert found(NOISE[:995] + NAME.encode() + NOISE)


def test_a_short_name_is_sought_outside_of_the_pictures_only() -> None:
    search = Search(needles([Needle("Igor", "")]), 100_000_000, 1000)
    data = b"Igor" + NOISE + b"Igor"
    assert [h.at for h in search.file(Walk(io.BytesIO(data)), (4, len(data)))] == [0]
    assert search.skipped == 0
    assert Search(needles([Needle("Igor", "")]), 100_000_000, 100_000_000).skipped == 1


def test_common_words_are_not_sought() -> None:
    assert needles([Needle("isom", ""), Needle("2014", ""), Needle("aaaa", ""), Needle("und", ""), Needle("  ", "")]) == []
    found = needles([Needle("interview_Igor", ""), Needle("IGOR", "")])
    assert [n.text for n in found] == ["interview_Igor", "interview", "Igor"]


@pytest.mark.parametrize("shift", range(8))
def test_text_in_sound_is_found_at_every_bit(shift: int) -> None:
    value = int.from_bytes(NOISE[:500] + NAME.encode() + NOISE[:500], "big") << 8 - shift
    data = value.to_bytes(1016, "big")
    assert Search(needles([Needle(NAME, "")]), 1000, 1000).shifted(data)


def test_a_begin_of_another_file_is_always_found() -> None:
    assert found(NOISE + b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1" + NOISE, "nobody at all") == {"as it stands"}


def test_long_text_is_told_from_coded_data() -> None:
    assert text_in(NOISE + b"encoded by somebody with a telephone" + NOISE)
    assert not text_in(NOISE)
    assert not text_in(b"a" * 1000 + b"UUUUUUUUUUUU" * 20)


@pytest.mark.parametrize("data", [b"", b"x\x9c", b"\x1f\x8b\x08", b"PK\3\4", b"PK\3\4" + b"\xff" * 40,
                                  zlib.compress(bytes(50_000_000))[:60_000],
                                  zlib.compress(b"cut off text")[:-6]], ids=range(7))
def test_deflated_data_that_are_none_or_huge_do_no_harm(data: bytes) -> None:
    assert len(inflate(data)) <= 1 << 20
