"""Is everything that was handed over still what it was: every byte is read and hashed again, out of the encrypted files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from facedouble.errors import InputRefused, StoreError
from facedouble.store import evidence
from facedouble.store.blobs import Blob, Blobs
from facedouble.store.evidence import Item
from facedouble.store.intake import Hashes, Progress, blobs_of, copied, quiet
from facedouble.store.project import Project
from facedouble.store.vault import ORIGINALS


def verify(project: Project, progress: Progress = quiet) -> Iterator[tuple[str, str]]:
    """Each file's id, and what differs; an empty text where nothing does. Then what the log knows and the manifest does not."""
    found = evidence.items(project.db)
    vault = project.vault()
    called = {name: vault.blob(name) for name in vault.names() if name.startswith(ORIGINALS)}
    said = {str(e.facts.get("evidence")): str(e.facts.get("commitment")) for e in project.log.entries
            if e.event in (evidence.ADDED, evidence.RECEIVED)}
    for item in found:
        name = f"{ORIGINALS}{item.shelf}"
        yield item.id, _wrong(project, item, said.pop(item.id, None), progress) or _other(project, item, name, called, progress)
    for id in said:
        yield id, "the log says that it was added, and the manifest does not know it"


def _wrong(project: Project, item: Item, commitment: str | None, progress: Progress) -> str:
    blobs = blobs_of(project)
    if commitment != item.commitment:
        return "the log " + ("does not know that it was added" if commitment is None else "committed itself to other bytes")
    try:
        now = _hashed(blobs, item, item.blob, progress)
        if item.note is not None:
            blobs.read(item.note)
    except (StoreError, InputRefused) as error:
        return str(error)
    for what, before, after in (("SHA-256", item.sha256, now.sha256), ("SHA-512/256", item.sha512_256, now.sha512_256)):
        if before != after:
            return f"its {what} is {after[:16]}…, and was {before[:16]}… when it was added"
    return ""


def _other(project: Project, item: Item, name: str, called: Mapping[str, Blob], progress: Progress) -> str:
    """What differs in what the project works with under that name. It may be another file of the same bytes after a crash."""
    blob = called.get(name, item.blob)
    if blob != item.blob:
        try:
            if _hashed(blobs_of(project), item, blob, progress).sha256 == item.sha256:
                return ""
        except (StoreError, InputRefused) as error:
            return f"{name}: {error}"
        return f"the project calls other bytes {name}: somebody with a key altered its table of files"
    return ""


def _hashed(blobs: Blobs, item: Item, blob: Blob, progress: Progress) -> Hashes:
    with blobs.open(blob) as source:
        return copied(source, None, blob.size, item.id, progress)
