"""What a project wrote down is kept whatever its keys became since; what a stopped machine left in the way is not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from facedouble import disk
from facedouble.pipeline.packing import film_of
from facedouble.pipeline.recorded import clear_unfinished
from facedouble.publish import write_new
from facedouble.store import holders, renders
from facedouble.store.again import encrypt_again
from facedouble.store.vault import Keys
from tests.store.cast import MAN, NOW, a_render
from tests.store.make import a_project


def test_an_approved_film_stays_after_its_keys_were_rotated(tmp_path: Path) -> None:
    with a_project(tmp_path / "film") as project:
        vault = Keys(project.folder, project.recipient, project.keyring.identities).open()
        disk.mount(project.folder, vault)
        for name in ("A", "B"):
            write_new(project.folder / "cut" / f"{name}.mp4", f"the film {name}".encode())
            write_new(project.folder / "cut" / f"{name}.report.json", json.dumps({"clip": name, "audit": {}}).encode())
        film = project.folder / "cut" / "A.mp4"
        made = replace(a_render((MAN,)), file=disk.stamp(film)[1], sha256=hashlib.sha256(disk.read(film)).hexdigest())
        with project.change("rendered", {}) as db:
            renders.record(db, made, "noor", NOW)
        disk.unmount(project.folder)
        vault.close()
        holders.rotate(project)
        encrypt_again(project, lambda *_: None)
        vault = Keys(project.folder, project.recipient, project.keyring.identities).open()
        disk.mount(project.folder, vault)
        try:
            assert disk.stamp(film)[1] != made.file
            clear_unfinished(project, project.folder / "cut")
            assert [p.name for p in disk.found(project.folder / "cut", "*.mp4")] == ["A.mp4"]
            assert film_of(project, made) == film
        finally:
            disk.unmount(project.folder)
            vault.close()
