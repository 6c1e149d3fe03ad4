"""Take footage in: hashed while it is copied, before anything tries to understand it."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from facedouble.errors import InputRefused, StoreError
from facedouble.store import evidence, log
from facedouble.store.blobs import Blob, Blobs, BlobWriter
from facedouble.store.entry import Facts
from facedouble.store.evidence import Item, Seen
from facedouble.store.project import Project
from facedouble.store.vault import ORIGINALS, Vault

BLOCK: Final = 1 << 20
Progress = Callable[[int, int], None]  # bytes done, of how many


@dataclass(frozen=True)
class Hashes:
    """Of the bytes as they came."""

    sha256: str
    sha512_256: str
    size: int


def quiet(_done: int, _total: int) -> None:
    """Nobody watches."""


@contextmanager
def taking(project: Project) -> Iterator[Vault | None]:
    """Be the only one who takes files in; what an earlier crash left is settled. The vault; None for a field project."""
    if project.blind:
        with project.working():
            blobs_of(project).settle()
            yield None
        return
    vault = project.vault()
    try:
        settle(project, vault)
        yield vault
    finally:
        vault.close()


def add(project: Project, vault: Vault | None, path: Path, kind: str, note: str = "",
        progress: Progress = quiet) -> tuple[Item, bool]:
    """Take a file in as it is, inside `taking`; the manifest's entry, and False if the same bytes were here already.

    note: who handed it over, sealed. InputRefused for what is empty, cannot be read, or is no file; nothing of it is left then.
    """
    blobs = blobs_of(project)
    with _source(path) as source, blobs.new() as out:
        found = copied(source, out, os.fstat(source.fileno()).st_size, str(path), progress)
        known = None if project.blind else evidence.with_hash(project.db, found.sha256)
        if known is not None:
            return known, False
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        name = os.fsencode(path.name).decode("utf-8", "replace")
        item = Item(evidence.fresh_id(), name, "", kind, found.sha256, found.sha512_256, now, project.keyring.holder,
                    evidence.fresh_salt(), out.prepare(), sealed_note(blobs, note.encode()))
        return (_record(project, blobs, item) if vault is None else enter(project, vault, item, evidence.ADDED)), True


def enter(project: Project, vault: Vault, item: Item, event: str, seen: Seen | None = None) -> Item:
    """Enter what is prepared into registry and log, then put it in its place; after a crash, `settle` finishes or clears it."""
    facts: Facts = {"evidence": item.id, "blob": item.blob.id, "commitment": item.commitment, "kind": item.kind,
                    **(vars(seen) if seen else {})}
    try:
        with project.change(event, facts) as db:
            item = replace(item, shelf=evidence.shelf_name(item.name, [i.shelf for i in evidence.items(db)]))
            evidence.insert(db, item)
            if seen is not None:
                evidence.remember(db, seen)
    except BaseException:
        with suppress(StoreError):
            settle(project, vault)
        raise
    settle(project, vault)
    return item


def settle(project: Project, vault: Vault) -> None:
    """Finish what a crash left: files that the registry names get their names, and what nothing names goes."""
    vault.hold()
    project.refresh()
    found = evidence.items(project.db)
    vault.clear(evidence.blob_ids(found))
    there = {name: vault.blob(name) for name in vault.names()}
    for item in found:
        vault.blobs.protect(item.blob.id)
        if there.get(f"{ORIGINALS}{item.shelf}") != item.blob:  # it is new, or was encrypted again
            vault.keep(f"{ORIGINALS}{item.shelf}", item.blob)
            vault.clear(evidence.blob_ids(found))


def blobs_of(project: Project) -> Blobs:
    """Where the contents of a project lie; on a field laptop, to be written only."""
    return Blobs(project.folder / "blobs", (project.recipient,), project.keyring.identities)


def copied(source: BinaryIO, out: BlobWriter | None, size: int, what: str, progress: Progress = quiet) -> Hashes:
    """Hash a file, and write it if there is where to. InputRefused if it does not have the size that it said."""
    one, two, done = hashlib.sha256(), hashlib.new("sha512_256"), 0
    while done <= size:  # what is still being written may never end
        try:
            block = source.read(BLOCK)
        except OSError as error:
            raise InputRefused(f"{what}: cannot be read ({error.strerror}) after {done} bytes; try another card reader, or a "
                               "copy of it") from error
        if not block:
            break
        one.update(block)
        two.update(block)
        if out is not None:
            out.write(block)
        done += len(block)
        progress(done, size)
    if done != size:
        raise InputRefused(f"{what}: changed while it was read; wait until whatever writes it has ended, and add it again")
    return Hashes(one.hexdigest(), two.hexdigest(), done)


def _source(path: Path) -> BinaryIO:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise InputRefused(f"{path}: is a link; add the file that it leads to") from error
        raise InputRefused(f"{path}: cannot be read ({error.strerror}); look at its name and its rights") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        os.close(descriptor)
        raise InputRefused(f"{path}: is empty; look for the file on the card or phone again" if stat.S_ISREG(found.st_mode) else
                           f"{path}: is no file; add the files themselves")
    return os.fdopen(descriptor, "rb")


def sealed_note(blobs: Blobs, note: bytes | None) -> Blob | None:
    """A note, prepared; none if nothing was said."""
    if not note:
        return None
    with blobs.new() as out:
        out.write(note)
        return out.prepare()


def _record(project: Project, blobs: Blobs, item: Item) -> Item:
    """On a field laptop: the manifest's entry is a blob too, and the log names it. Nothing here can be read again."""
    manifest = blobs.put(item.packed().encode())
    mine, before = {*evidence.blob_ids([item]), manifest.id}, log.blind_head(project.folder / "log")
    blobs.settle(mine)
    try:
        project.record(evidence.ADDED, {"evidence": item.id, "blob": item.blob.id, "commitment": item.commitment,
                                        "manifest": manifest.id, "size": manifest.size, "mac": manifest.mac})
    except StoreError:
        if log.blind_head(project.folder / "log") == before:
            for id in mine:
                blobs.remove(id)
        raise
    for id in mine:
        blobs.protect(id)
    return item
