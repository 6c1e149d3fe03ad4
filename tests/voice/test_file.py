"""A voice comes back whole or not at all, whichever byte was touched."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from facedouble.errors import ExitCode, InputRefused, StoreError
from facedouble.types import Consent
from facedouble.voice import file
from facedouble.voice.file import read_voice, write_voice
from facedouble.voice.volunteer import SCHEMA, VoiceDouble, identity, named
from tests.voice.voices import CONSENT, arrays, voice


def header_of(data: bytes) -> dict[str, Any]:
    outer = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    found: dict[str, Any] = json.loads(outer["__metadata__"][file.KEY])
    return found


def forged(header: dict[str, Any], held: dict[str, Any]) -> bytes:
    """A file with any header, sealed anew."""
    header["seal"] = file._seal(header)
    made: bytes = save(held, {file.KEY: json.dumps(header)})
    return made


def test_a_voice_comes_back_whole(tmp_path: Path) -> None:
    made = voice()
    write_voice(made, tmp_path / "v.fvoice")
    again = read_voice(tmp_path / "v.fvoice")
    assert (again.id, again.consent, again.rate, again.seconds) == (made.id, CONSENT, 48_000, 31.5)
    for name in SCHEMA:
        assert np.array_equal(again.arrays[name], made.arrays[name]) and not again.arrays[name].flags.writeable
    with pytest.raises(StoreError, match="exists"):
        write_voice(made, tmp_path / "v.fvoice")
    assert [p.name for p in tmp_path.iterdir()] == ["v.fvoice"]


def test_a_voice_survives_pickle_and_stays_read_only() -> None:
    again = pickle.loads(pickle.dumps(voice()))
    assert again.id == voice().id and not again.arrays["spread"].flags.writeable
    with pytest.raises(TypeError):
        again.arrays["spread"] = np.zeros(5, np.float32)


def test_every_flipped_byte_is_refused(tmp_path: Path) -> None:
    write_voice(voice(), tmp_path / "v.fvoice")
    data = (tmp_path / "v.fvoice").read_bytes()
    bad = tmp_path / "bad.fvoice"
    body = 8 + int.from_bytes(data[:8], "little")
    padding = len(data[:body]) - len(data[:body].rstrip(b" "))
    places = [*range(body - padding), *range(body, len(data), 37), len(data) - 1]
    for at in places:
        for bit in (1, 16, 128):
            touched = bytearray(data)
            touched[at] ^= bit
            bad.write_bytes(touched)
            with pytest.raises(InputRefused) as refused:
                read_voice(bad)
            assert refused.value.exit_code == ExitCode.INPUT and "bad.fvoice" in str(refused.value)


def test_a_cut_or_lengthened_file_is_refused(tmp_path: Path) -> None:
    write_voice(voice(), tmp_path / "v.fvoice")
    data = (tmp_path / "v.fvoice").read_bytes()
    bad = tmp_path / "bad.fvoice"
    for made in (b"", b"text", data[:7], data[:8], data[:300], data[:-1], data + b"\0", data + data):
        bad.write_bytes(made)
        with pytest.raises(InputRefused):
            read_voice(bad)
    with pytest.raises(InputRefused, match="no such"):
        read_voice(tmp_path / "none.fvoice")
    with pytest.raises(InputRefused):
        read_voice(tmp_path)


def test_a_large_file_is_not_even_opened(tmp_path: Path) -> None:
    with open(tmp_path / "v.fvoice", "wb") as out:
        out.truncate(file.LARGEST + 1)
    with pytest.raises(InputRefused, match="too large"):
        read_voice(tmp_path / "v.fvoice")


@pytest.mark.parametrize(("name", "value"), [
    ("id", "0" * 16), ("id", 7), ("rate", 44_100), ("rate", 48_000.0), ("rate", 10), ("seconds", 0.0),
    ("seconds", "long"), ("seconds", True), ("format", "facedouble-double-1"), ("consent", None), ("consent", {}),
    ("consent", {**vars(CONSENT), "scope": ["party"]}),
    ("consent", {**vars(CONSENT), "until": "soon"}), ("consent", {**vars(CONSENT), "who": " "}),
    ("consent", {**vars(CONSENT), "more": 1}), ("more", 1),
])
def test_a_header_that_says_what_cannot_be_is_refused(name: str, value: Any, tmp_path: Path) -> None:
    write_voice(voice(), tmp_path / "v.fvoice")
    data = (tmp_path / "v.fvoice").read_bytes()
    (tmp_path / "bad.fvoice").write_bytes(forged({**header_of(data), name: value}, load(data)))
    with pytest.raises(InputRefused):
        read_voice(tmp_path / "bad.fvoice")


def test_a_changed_date_of_consent_is_noticed(tmp_path: Path) -> None:
    write_voice(voice(), tmp_path / "v.fvoice")
    data = (tmp_path / "v.fvoice").read_bytes()
    assert data.count(b"2030-01-01") == 1
    (tmp_path / "bad.fvoice").write_bytes(data.replace(b"2030-01-01", b"2039-01-01"))
    with pytest.raises(InputRefused, match="changed"):
        read_voice(tmp_path / "bad.fvoice")


@pytest.mark.parametrize(("name", "held"), [
    ("spread", np.zeros(6, np.float32)), ("spread", np.zeros(5, np.float64)), ("spread", np.zeros(5, np.int32)),
    ("predicted", np.zeros((4, 4, 5), np.float32)), ("real", np.zeros((5, 3, 5), np.float32)),
    ("real", np.zeros((5, 4, 0), np.float32)), ("readout", np.full((4, 7, 5), np.nan, np.float32)),
    ("f0", np.array([np.inf, 1], np.float32)), ("voicing", np.zeros((5, 1), np.float32)), ("other", np.zeros(3, np.float32)),
])
def test_arrays_that_do_not_fit_are_refused(name: str, held: Any, tmp_path: Path) -> None:
    whole = {**arrays(), name: held}
    with pytest.raises(ValueError, match=name):
        VoiceDouble("0" * 16, CONSENT, 48_000, 31.5, whole)
    header = {**file._header(voice()), "id": "0" * 16}
    (tmp_path / "bad.fvoice").write_bytes(forged(header, whole))
    with pytest.raises(InputRefused):
        read_voice(tmp_path / "bad.fvoice")


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    for metadata in (None, {"format": "pt"}, {file.KEY: "[]"}, {file.KEY: "{"}):
        (tmp_path / "bad.fvoice").write_bytes(save(arrays(), metadata))
        with pytest.raises(InputRefused):
            read_voice(tmp_path / "bad.fvoice")


def test_the_id_follows_all_that_sounds_and_nothing_else() -> None:
    one = voice()
    assert named(Consent("V8", ("test",), "2026-02-01"), one.rate, 99.0, one.arrays).id == one.id
    assert identity(44_100, one.arrays) != one.id
    for name in SCHEMA:
        changed = {**one.arrays, name: one.arrays[name] + np.float32(0.5)}
        assert identity(one.rate, changed) != one.id
