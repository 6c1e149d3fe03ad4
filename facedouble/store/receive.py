"""Take in what a field laptop gathered: its log is checked, and each file compared with what was written down there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facedouble.age.errors import AgeError
from facedouble.errors import StoreError
from facedouble.store import evidence, log, settings
from facedouble.store.blobs import Blob, Blobs
from facedouble.store.entry import Entry
from facedouble.store.evidence import Item, Seen
from facedouble.store.intake import Progress, blobs_of, copied, enter, quiet, sealed_note
from facedouble.store.log import Log
from facedouble.store.project import Project
from facedouble.store.vault import Vault


@dataclass(frozen=True)
class Received:
    """What became of one import. item: None where it was refused; refused: why; double: the bytes were here already."""

    entry: int
    item: Item | None
    refused: str = ""
    double: bool = False


def receive(project: Project, vault: Vault, folder: Path, progress: Progress = quiet) -> Iterator[Received]:
    """Take in what is new in a field project, one import after the other.

    StoreError if its log is broken, is not the one that was received before, or was not made for this project.
    """
    said = settings.read(folder)
    if said.profile != "field":
        raise StoreError(f"{folder}: is no field project; receive takes what `facedouble init --field` made")
    there = log.read(folder / "log", project.keyring)
    first = there.entries[0].facts
    if (first.get("project"), first.get("profile")) != (said.id, "field"):
        raise StoreError(f"{folder}: its plain page does not say what its log says; somebody altered it: take another copy")
    _same_log(project, said.id, there, folder)
    field = Blobs(folder / "blobs", (), project.keyring.identities)
    done = {i.origin for i in evidence.items(project.db)}
    for entry in there.entries:
        if entry.event == evidence.ADDED and f"{said.id}:{entry.n}" not in done:
            yield _take(project, vault, field, entry, Seen(said.id, entry.key, there.n, there.head), progress)


def _same_log(project: Project, id: str, there: Log, folder: Path) -> None:
    """StoreError if this log is another one than was received from before, or a shorter state of it."""
    last = evidence.seen(project.db, id)
    if last is not None and (there.entries[0].key != last.key or there.n < last.entry
                             or there.entries[last.entry - 1].digest != last.head):
        raise StoreError(f"{folder}: this field project was received before, and its log was another or a longer one; it was "
                         "rolled back or altered: keep it as it is, and look for another copy")


def _take(project: Project, vault: Vault, field: Blobs, entry: Entry, seen: Seen, progress: Progress) -> Received:
    try:
        item = _manifest(field, entry.facts)
        known = evidence.with_hash(project.db, item.sha256)
        if known is not None:
            return Received(entry.n, known, double=True)
        if any(i.id == item.id for i in evidence.items(project.db)):
            raise StoreError(f"{item.id}: is the name of other evidence already")
        note, source = None if item.note is None else field.read(item.note), field.open(item.blob)
    except StoreError as error:
        return Received(entry.n, None, str(error))
    blobs = blobs_of(project)
    with source, blobs.new() as out:
        try:
            found = copied(source, out, item.blob.size, item.id, progress)
        except AgeError as error:  # while a disk that is full stops everything
            return Received(entry.n, None, f"{item.id}: {error}")
        if (found.sha256, found.sha512_256) != (item.sha256, item.sha512_256):
            return Received(entry.n, None, f"{item.id}: its bytes are not those that were hashed when it was added")
        mine = replace(item, blob=out.prepare(), note=None, origin=f"{seen.field}:{entry.n}")
    return Received(entry.n, enter(project, vault, replace(mine, note=sealed_note(blobs, note)), evidence.RECEIVED, seen))


def _manifest(field: Blobs, facts: Mapping[str, Any]) -> Item:
    """What was written down when a file was added; StoreError if it is not what the log vouches for."""
    try:
        named = Blob(str(facts["manifest"]), int(facts["size"]), str(facts["mac"]))
        said = facts["evidence"], facts["blob"], facts["commitment"]
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError("an entry of the field log names no manifest") from error
    item = Item.unpacked(field.read(named))
    if (item.id, item.blob.id, item.commitment) != said:
        raise StoreError(f"{item.id}: its manifest entry is not the one that the log names")
    return item
