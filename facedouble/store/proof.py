"""Is everything that was handed over still what it was: every byte is read and hashed again, out of the encrypted files."""

from __future__ import annotations

from collections.abc import Iterator

from facedouble.errors import InputRefused, StoreError
from facedouble.store import evidence
from facedouble.store.evidence import Item
from facedouble.store.intake import Progress, blobs_of, copied, quiet
from facedouble.store.project import Project


def verify(project: Project, progress: Progress = quiet) -> Iterator[tuple[str, str]]:
    """Each file's id, and what differs; an empty text where nothing does. Then what the log knows and the manifest does not."""
    found = evidence.items(project.db)
    said = {str(e.facts.get("evidence")): str(e.facts.get("commitment")) for e in project.log.entries
            if e.event in (evidence.ADDED, evidence.RECEIVED)}
    for item in found:
        yield item.id, _wrong(project, item, said.pop(item.id, None), progress)
    for id in said:
        yield id, "the log says that it was added, and the manifest does not know it"


def _wrong(project: Project, item: Item, commitment: str | None, progress: Progress) -> str:
    blobs = blobs_of(project)
    if commitment != item.commitment:
        return "the log " + ("does not know that it was added" if commitment is None else "committed itself to other bytes")
    try:
        with blobs.open(item.blob) as source:
            now = copied(source, None, item.blob.size, item.id, progress)
        if item.note is not None:
            blobs.read(item.note)
    except (StoreError, InputRefused) as error:
        return str(error)
    for what, before, after in (("SHA-256", item.sha256, now.sha256), ("SHA-512/256", item.sha512_256, now.sha512_256)):
        if before != after:
            return f"its {what} is {after[:16]}…, and was {before[:16]}… when it was added"
    return ""
