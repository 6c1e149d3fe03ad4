"""Nothing of the footage, and nothing that people said, is on the disk in plain, after everything was done with it."""

from __future__ import annotations

import base64
from pathlib import Path

import av
import numpy as np
import pytest

from facedouble.age.sealing import unseal
from facedouble.store.project import Project
from facedouble.store.vault import Keys
from tests.project.canary import WORDS, Canaries, all_of, everything
from tests.project.desk import Desk
from tests.project.whole import Whole
from tests.store.make import keyring_of

OWN = ("folder", "file")  # of the footage: what the user typed to take it in


@pytest.fixture(scope="module")
def canaries(whole: Whole) -> Canaries:
    return all_of(whole.source)


def test_nothing_is_found_anywhere(whole: Whole, canaries: Canaries) -> None:
    """Project, home, state, runtime, temporary and cache folder, what left the project, and the names of all of it."""
    places = [whole.desk.folder, whole.desk.runtime, whole.out]
    seen = [path for path, _ in everything(places)]
    assert {"film.mp4", "film.receipt.json", "rose.age", "court.age", "index.age"} <= {path.name for path in seen}
    assert sum(path.parent.name == "log" for path in seen) >= 8 and any(path.suffix == ".head" for path in seen)
    assert len(canaries.known) > 350
    assert canaries.below(places) == []


def test_commands_say_nothing_of_it(whole: Whole, canaries: Canaries) -> None:
    """But the name of the file, to whoever typed it."""
    for name, said in whole.said.items():
        found = {one.split(",")[0] for one in canaries.found(said.encode())}
        assert found <= ({"file"} if name == "add" else set()), (name, found)


def test_what_went_out_tells_nothing(whole: Whole, canaries: Canaries) -> None:
    """The file of the film, its tags and streams, and the receipt."""
    with av.open(str(whole.out / "film.mp4")) as film:
        tags = str([film.metadata, *(stream.metadata for stream in film.streams)])
        assert {stream.type for stream in film.streams} <= {"video", "audio"}
    assert canaries.found(tags.encode()) == []
    assert canaries.found((whole.out / "film.mp4").read_bytes() + (whole.out / "film.receipt.json").read_bytes()) == []


def test_only_plain_age_files_and_three_kinds_of_page(whole: Whole) -> None:
    """What is not sealed is told by name: an empty lock, the plain page, public halves of keys."""
    plain = {path.relative_to(whole.desk.film).as_posix() for path, data in everything([whole.desk.film])
             if path.is_file() and not data.startswith(b"age-encryption.org/v1\n")}
    assert plain == {"facedouble.toml", "lock", "work.lock", "keys/ana.toml", "keys/ben.toml"}
    assert not [path for path in whole.desk.film.rglob(".*")]


def test_the_key_finds_all_of_it(whole: Whole, canaries: Canaries) -> None:
    """The search is not in vain: what is looked for is in the project, sealed."""
    film = whole.desk.film
    keys = keyring_of(film, "ana")
    with Project.open(film, keys, write=False) as project:
        sealed = [path.read_bytes() for path in film.rglob("*.age") if path.parent.name != "keys"]
        opened = [unseal(data, project.keyring.identities) for data in sealed]
        vault = Keys(film, project.recipient, project.keyring.identities).open()
        kept = b"".join(vault.open(name).read() for name in vault.names() if name.startswith("footage/"))
    assert kept == whole.source.read_bytes()
    found = set(canaries.found(b"\0".join(opened)))
    told = {name for name in WORDS if f"{name}, utf-8" in found or f"{name}, utf-8, base64 0" in found}
    assert set(WORDS) - told <= {"folder", "real_name", "reach", "note", "yes"}  # never taken in; or sealed once more
    assert sum(name.startswith("bytes at") for name in found) == sum(name.startswith("bytes at") for name in canaries.known)


@pytest.mark.parametrize("leak", ["words", "utf-16", "base64", "name", "rows", "floats", "numpy", "footage"])
def test_the_search_finds_what_is_left_lying(leak: str, whole: Whole, canaries: Canaries, tmp_path: Path) -> None:
    with av.open(str(whole.source)) as box:
        frame = next(box.decode(video=0))
        gray, rgb = frame.to_ndarray(format="gray"), frame.to_ndarray(format="rgb24")
    text = f"interview with {WORDS['real_name']}, near {WORDS['location']}"
    data = {"words": text.encode(), "utf-16": text.encode("utf-16"), "base64": base64.b64encode(text.encode()), "name": b"",
            "rows": gray.tobytes(), "floats": (rgb.astype(np.float32) / 255).tobytes(),
            "footage": whole.source.read_bytes()[20_000:30_000]}
    if leak == "numpy":
        np.savez(tmp_path / "left.npz", frame=rgb)
    else:
        (tmp_path / (f"{WORDS['file']}.tmp" if leak == "name" else "left")).write_bytes(data[leak])
    assert canaries.below([tmp_path])


def test_nothing_of_it_stays_when_it_is_refused(desk: Desk, whole: Whole, canaries: Canaries) -> None:
    """Commands that end in an error write no report of it either."""
    desk.must("add", "film", str(whole.source.with_name("none.mov")), code=7)
    desk.must("analyse", "film/footage/none.mov", "--plan", "film/film.plan.toml", code=7)
    desk.must("release", "film", "-o", str(desk.folder / "nowhere" / "film.mp4"), code=5)
    assert canaries.below([desk.folder]) == []
