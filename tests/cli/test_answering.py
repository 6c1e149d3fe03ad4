"""Two key holders answer for a scene whose person could not be reached: shown first, signed by both, and for nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from facedouble import disk
from facedouble.errors import ConsentError, StoreError, UsageError
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.pipeline.contents import contents
from facedouble.pipeline.looking import scene_film
from facedouble.publish import write_new
from facedouble.store import approvals, consents, holders, people, renders
from facedouble.store.keys import Secret
from facedouble.store.project import Project
from facedouble.store.release_rules import Blocker, blockers
from facedouble.store.renders import Appearance, Render, Scene
from tests.cli.test_people import ana, desk, run
from tests.media.make import clip
from tests.store.cast import AGREED, NOW, a_render
from tests.store.make import an_identity

__all__ = ["ana", "desk"]
WORDS = "1\n00:00:00,000 --> 00:00:00,399\nThey came.\n"
REASON = "he_asked_for_it_on_the_phone_in_2025"  # in one word, because `run` splits at spaces


@pytest.fixture
def film(desk: Project) -> Render:
    """A render of two scenes that lies in the project; sam, in the second, could not be reached."""
    holders.add(desk, "ben", Secret(recipient=an_identity(Path("ben.id"))))
    told = contents(clip(Path("A.mp4"), 320, 240, audio=((48_000, 0.5, 0.0),)), [5], WORDS.encode())
    film = Path("A.mp4").read_bytes()
    write_new(desk.folder / "safe" / "A.mp4", film)
    write_new(desk.folder / "safe" / "A.srt", WORDS.encode())
    eyes = Path("eyes")
    eyes.write_text('#!/bin/sh\nfor last; do :; done\nhead -c 12 "$last" >> seen\necho "$1" >> words\nsleep "$(cat s)"\n')
    eyes.chmod(0o700)
    Path("s").write_text("1.1")
    made = a_render((), (Appearance("sam", "show", "mute"),))
    scenes = Scene(1, 0, 5, told.scenes[0]), Scene(2, 5, 12, told.scenes[1], made.scenes[1].people)
    made = replace(made, frames=12, scenes=scenes, sha256=hashlib.sha256(film).hexdigest(), content=told.whole)
    with desk.change("rendered", {}) as db:
        people.add(db, "shown", "lin", NOW, "sam")
        consents.record(db, "sam", AGREED, "lin", NOW, reach="a friend")
        renders.record(db, made, "lin", NOW)
        approvals.say(db, made, 2, "sam", "unreachable", "lin", NOW)
    return made


def left(project: Project, render: Render) -> tuple[Blocker, ...]:
    keys = {name: holder.key for name, holder in project.log.holders.items()}
    return blockers(project.db, render, "film", NOW, True, keys)


LINE = f"override film sam --scene 2 --reason {REASON} --with ./eyes"


def test_both_sign_after_it_was_looked_at_twice(desk: Project, film: Render) -> None:
    assert [b.kind for b in left(desk, film)] == ["unreachable"]
    run(f"{LINE} --second-identity ben.id --second ben")
    assert left(desk, film) == ()
    assert (desk.log.last.event, desk.log.last.actor, desk.log.last.second) == ("override", "noor", "ben")
    assert REASON not in str(dict(desk.log.last.facts))
    assert Path("seen").read_bytes().count(b"ftyp") == 2 and "--video-zoom=2" in Path("words").read_text()
    assert [p.name for p in disk.found(desk.folder, "packs/*")] == []  # what was shown was in memory only
    with desk.change("objected", {}) as db:
        approvals.say(db, film, 2, "sam", "objected", "lin", NOW, "pack")
    assert [b.kind for b in left(desk, film)] == ["objection"]


def test_it_is_shown_with_its_subtitles(desk: Project, film: Render, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those that the scene is known by; others are no answer to what is asked."""
    (tmp_path / "scene.mp4").write_bytes(scene_film(desk, film, 2))
    light = [int(frame.planes[0][100:].max()) for frame in frames(probe(tmp_path / "scene.mp4"))]
    assert len(light) == 7 and min(light[:5]) > 225 and max(light[5:]) < 225
    disk.remove(desk.folder / "safe" / "A.srt")
    with pytest.raises(StoreError, match="subtitles"):
        scene_film(desk, film, 2)
    assert not disk.found(desk.folder, "packs/*")


def test_words_of_a_viewer_that_cannot_be_read_are_refused_before_anything_is_shown(desk: Project, film: Render) -> None:
    with pytest.raises(UsageError, match="--closer"):
        run(f"{LINE} --second-identity ben.id --closer '--zoom")
    assert not Path("seen").exists()


@pytest.mark.parametrize(("line", "seconds", "word"), [
    (f"{LINE} --second-identity ben.id", "0", "looked"), (f"{LINE} --second-identity noor.id", "1.1", "two key holders"),
    (LINE.replace(REASON, "he_said_so") + " --second-identity ben.id", "1.1", "20 characters"),
    (LINE.replace("--scene 2", "--scene 1") + " --second-identity ben.id", "1.1", "not written down")])
def test_nothing_is_answered_for_otherwise(desk: Project, film: Render, line: str, seconds: str, word: str) -> None:
    Path("s").write_text(seconds)
    before = desk.log.n
    with pytest.raises(ConsentError, match=word):
        run(line)
    assert [b.kind for b in left(desk, film)] == ["unreachable"]
    assert not [e for e in desk.log.entries[before:] if e.event == "override"]
