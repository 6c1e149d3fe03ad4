"""Encrypt everything once more, to the project's newest key: for what a holder who was removed has not copied yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from facedouble.store import evidence, renders
from facedouble.store.blobs import Blob, BlobWriter
from facedouble.store.evidence import Item
from facedouble.store.intake import settle
from facedouble.store.project import Project
from facedouble.store.vault import BLOCK, ORIGINALS, Vault


def encrypt_again(project: Project, done: Callable[[int, int], object]) -> int:
    """Write each file anew and take the old one away, one after the other; how many. Whenever it stops, all of them can be read.

    The files of the log stay as they are: the log is never written again. done: how many, of how many.
    """
    vault = project.vault()
    try:
        settle(project, vault)
        names: dict[str, list[str]] = {}
        for name in vault.names():
            names.setdefault(vault.blob(name).id, []).append(name)
        for count, (old, called) in enumerate(names.items(), 1):
            _again(project, vault, old, called)
            done(count, len(names))
        return len(names)
    finally:
        vault.close()


def _again(project: Project, vault: Vault, old: str, called: list[str]) -> None:
    before = vault.blob(called[0])
    out, blob = _copied(vault, before)
    for item in evidence.items(project.db):
        if f"{ORIGINALS}{item.shelf}" in called:
            _evidence(project, vault, item, blob)
    for name in called:
        vault.keep(name, blob)
    out.publish()
    if any(name.startswith(ORIGINALS) for name in called):
        vault.blobs.protect(blob.id)
    if before.mac in {stamp for _, stamp in renders.films(project.db)}:
        with project.change("film encrypted again", {"blob": blob.id}) as db:
            renders.move(db, before.mac, blob.mac)
    vault.blobs.remove(old)


def _evidence(project: Project, vault: Vault, item: Item, blob: Blob) -> None:
    """The manifest follows its file, and the sealed note of who handed it over is written anew as well."""
    out, note = (None, None) if item.note is None else _copied(vault, item.note)
    if item.note is not None:
        vault.leave(item.note.id)
    with project.change("footage encrypted again", {"evidence": item.id, "blob": blob.id}) as db:
        evidence.move(db, replace(item, blob=blob, note=note))
    if item.note is not None and out is not None:
        out.publish()
        vault.blobs.remove(item.note.id)


def _copied(vault: Vault, blob: Blob) -> tuple[BlobWriter, Blob]:
    """The same contents once more, hidden until something names them."""
    with vault.blobs.open(blob) as source, vault.blobs.new() as out:
        while block := source.read(BLOCK):
            out.write(block)
        return out, out.prepare()
