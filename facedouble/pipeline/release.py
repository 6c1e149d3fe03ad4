"""The one door of a project: a film goes out whole, with everybody's yes, and with an entry in the log; or nothing goes out."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble import __version__, disk
from facedouble.errors import AuditFailed, ConsentError, ExitCode, FacedoubleError, StoreError
from facedouble.media.container import walked
from facedouble.media.destination import OnDisk
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.approved import SUBTITLES, check_unaltered, words_of
from facedouble.publish import write_new
from facedouble.store import acts, files, override, release_rules, releases, renders
from facedouble.store.project import Project
from facedouble.store.receipt import receipt, report
from facedouble.store.release_rules import Blocker
from facedouble.store.renders import Render
from facedouble.store.vault import generation_at
from facedouble.store.verify import verify
from facedouble.voice.subtitles import read as read_subtitles
from facedouble.voice.subtitles import write as write_subtitles

BLOCK: Final = 1 << 20  # bytes copied at a time
LONG_AGO: Final = 315_532_800  # s: 1980-01-01, the time that every released file has
MOST_TOLD: Final = 12
RECEIPT: Final = ".receipt.json"
RAISED: Final = {ExitCode.AUDIT: AuditFailed, ExitCode.CONSENT: ConsentError, ExitCode.STORE: StoreError}

Where = Callable[[Render], Path]
"""A render -> where its film lies in the project; StoreError if it is there no more."""


@dataclass(frozen=True)
class Order:
    """What is asked for. render: its id; destination: a new file, outside of the project."""

    render: str
    destination: Path
    purpose: str


@dataclass(frozen=True)
class Released:
    """What went out: the release's id, the film, and beside it the receipt, and the subtitles if it has some."""

    id: str
    film: Path
    beside: tuple[Path, ...]


def release(project: Project, order: Order, where: Where, progress: Progress = quiet) -> Released:
    """Let a film go, with its subtitles. Whatever is missing: one sentence for each thing, and nothing is left there."""
    render = renders.get(project.db, order.render)
    _refuse(_blockers(project, render, order.purpose, _log_ok(project)))  # before the long part
    film = where(render)
    said = words_of(film)
    if order.destination.suffix.lower() != ".mp4":
        raise StoreError(f"{order.destination}: the film is MP4; let its name end in .mp4")
    papers = {order.destination.with_suffix(RECEIPT): b""}
    if said is not None:
        papers[order.destination.with_suffix(SUBTITLES)] = write_subtitles(read_subtitles(said), "srt")
    _outside(project, order.destination, papers)
    disk.let_out(*papers)
    check_unaltered(film, said, render, progress)  # its bytes are compared as they are copied
    id_ = f"rel-{secrets.token_hex(4)}"
    with _staged(film, render, order.destination, progress) as staged, _undone(project, id_, staged) as written:
        now = dt.datetime.now(dt.UTC)
        with project.change("released", {"release": id_, "render": render.id, "content": render.content},
                            index=generation_at(project.folder)) as db:
            # whoever withdrew while it was copied is heard; the log was read and checked anew as the change began
            _refuse(_blockers(project, render, order.purpose, log_ok=True))
            standing = override.standing(db, render, _keys(project))
            releases.record(db, id_, render, order.purpose, project.keyring.holder, now)
            signed = receipt(id_, render, order.purpose, __version__, now, standing, project.keyring)
            kept = report(db, id_, render, order.purpose, standing)
        with suppress(FacedoubleError):  # the film is let go by the log; its papers can be made again
            write_new(project.folder / "releases" / f"{id_}.json", kept)
        papers[order.destination.with_suffix(RECEIPT)] = signed
        for path, data in papers.items():
            write_new(path, data)
            written.append(path)
        staged.publish()
        with suppress(OSError):  # it has its name; some disks cannot be told to write that down
            files.sync(staged.path.parent)
    return Released(id_, order.destination, tuple(papers))


@contextmanager
def _undone(project: Project, id_: str, staged: OnDisk) -> Iterator[list[Path]]:
    """Whatever happens before the film has its name, be it Ctrl-C: the log says that it is not out, and its papers go. Gives the
    list that these are noted in."""
    written: list[Path] = []
    try:
        yield written
    except BaseException as error:
        if staged.named():
            raise
        for path in written:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        with suppress(FacedoubleError):
            project.refresh()  # stopped just after the log's entry, the books in memory do not have it, those on the disk do
        if not releases.known(project.db, id_):
            raise
        with suppress(FacedoubleError), project.change("release undone", {"release": id_}) as db:
            releases.undo(db, id_)
        if isinstance(error, OSError | StoreError):
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise StoreError(f"{staged.path}: cannot get its name ({why}); nothing was released, choose another place") from error
        raise


def standing_in_the_way(project: Project, render: str, purpose: str) -> tuple[Blocker, ...]:
    """What a release would be refused for now."""
    return _blockers(project, renders.get(project.db, render), purpose, _log_ok(project))


def _log_ok(project: Project) -> bool:
    return not verify(project.folder, project.keyring).alarms


def _blockers(project: Project, render: Render, purpose: str, log_ok: bool) -> tuple[Blocker, ...]:
    now = acts.latest(project.db, dt.datetime.now(dt.UTC), (entry.wall for entry in project.log.entries))
    return release_rules.blockers(project.db, render, purpose, now, log_ok, _keys(project))


def _keys(project: Project) -> dict[str, str]:
    return {name: holder.key for name, holder in project.log.holders.items()}


def _refuse(found: Sequence[Blocker]) -> None:
    if not found:
        return
    kind = RAISED[release_rules.exit_code(found)]
    said = [b.sentence for b in found[:MOST_TOLD]]
    more = [f"… and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
    raise kind("nothing was released:\n  " + "\n  ".join((*said, *more)))


def _outside(project: Project, destination: Path, papers: Collection[Path]) -> None:
    if disk.placed(destination) is not None or destination.resolve().is_relative_to(project.folder.resolve()):
        raise StoreError(f"{destination}: is in the project; name a place outside of it")
    for path in (destination, *papers):
        if path.exists() or path.is_symlink():
            raise StoreError(f"{path}: exists already; nothing is overwritten, so choose another name")


@contextmanager
def _staged(film: Path, render: Render, destination: Path, progress: Progress) -> Iterator[OnDisk]:
    """A whole copy on the destination's disk, which has no name yet, and never had one if it gets none.

    It is the film that was written down: the copied bytes are what is hashed.
    """
    staged, told = OnDisk(destination), hashlib.sha256()
    try:
        try:
            with disk.open_read(film) as source, open(os.dup(staged.descriptor), "wb") as out:
                total, done = disk.size(film), 0
                while block := source.read(BLOCK):
                    out.write(block)
                    told.update(block)
                    done += len(block)
                    progress("copying it out", done, total)
                out.flush()
                os.fsync(out.fileno())
                os.utime(out.fileno(), (LONG_AGO, LONG_AGO))
            with staged.again() as whole:
                wrong = walked(whole)
        except OSError as error:
            raise StoreError(f"{destination}: cannot be written ({error.strerror}); make room, or choose another place. Nothing "
                             "was released") from error
        if told.hexdigest() != render.sha256:
            raise StoreError(f"render {render.id}: its film is not the one that was written down; render it again")
        if wrong:
            raise AuditFailed(f"{destination}: not released, because the file holds what it must not: {wrong[0]}")
        yield staged
    finally:
        with suppress(OSError):
            staged.drop()
