"""The one door of a project: a film goes out whole, with everybody's yes, and with an entry in the log; or nothing goes out."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble import __version__, disk
from facedouble.errors import AuditFailed, ConsentError, ExitCode, FacedoubleError, InputRefused, StoreError
from facedouble.media.container import walked
from facedouble.media.destination import OnDisk
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.contents import contents
from facedouble.pipeline.digest import of_file
from facedouble.publish import write_new
from facedouble.store import acts, files, override, release_rules, releases, renders
from facedouble.store.project import Project
from facedouble.store.receipt import receipt, report
from facedouble.store.release_rules import Blocker
from facedouble.store.renders import Render
from facedouble.store.vault import generation_at
from facedouble.store.verify import verify

BLOCK: Final = 1 << 20  # bytes copied at a time
LONG_AGO: Final = 315_532_800  # s: 1980-01-01, the time that every released file has
MOST_TOLD: Final = 12
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
    """What went out: the release's id, the film, its receipt."""

    id: str
    film: Path
    receipt: Path


def release(project: Project, order: Order, where: Where, progress: Progress = quiet) -> Released:
    """Let a film go. Whatever is missing: one sentence for each thing, and nothing is left at the destination."""
    _outside(project, order.destination)
    render = renders.get(project.db, order.render)
    _refuse(_blockers(project, render, order.purpose, _log_ok(project)))  # before the long part
    film = where(render)
    _unaltered(film, render, progress)
    id_ = f"rel-{secrets.token_hex(4)}"
    paper = order.destination.with_suffix(".receipt.json")
    disk.let_out(paper)
    with _staged(film, order.destination, progress) as staged:
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
        _given(project, id_, staged, paper, signed)
    return Released(id_, order.destination, paper)


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


def _outside(project: Project, destination: Path) -> None:
    if disk.placed(destination) is not None or destination.resolve().is_relative_to(project.folder.resolve()):
        raise StoreError(f"{destination}: is in the project; name a place outside of it")
    for path in (destination, destination.with_suffix(".receipt.json")):
        if path.exists() or path.is_symlink():
            raise StoreError(f"{path}: exists already; nothing is overwritten, so choose another name")
    if destination.suffix.lower() != ".mp4":
        raise StoreError(f"{destination}: the film is MP4; let its name end in .mp4")


def _unaltered(film: Path, render: Render, progress: Progress) -> None:
    """What was approved is what is there: the file's bytes, and once more what is seen and heard in them."""
    if of_file(film) != render.sha256:
        raise StoreError(f"render {render.id}: its film is not the one that was written down; render it again")
    try:
        told = contents(film, [scene.start for scene in render.scenes], film.with_suffix(".srt"), progress)
    except InputRefused as error:
        raise StoreError(f"render {render.id}: its film cannot be read any more ({error}); render it again") from error
    if told.whole != render.content:
        raise StoreError(f"render {render.id}: its subtitles, or its film, are not those that were approved; render it again")


@contextmanager
def _staged(film: Path, destination: Path, progress: Progress) -> Iterator[OnDisk]:
    """A whole copy on the destination's disk, which has no name yet, and never had one if it gets none."""
    staged = OnDisk(destination)
    try:
        try:
            with disk.open_read(film) as source, open(os.dup(staged.descriptor), "wb") as out:
                total, done = disk.size(film), 0
                while block := source.read(BLOCK):
                    out.write(block)
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
        if wrong:
            raise AuditFailed(f"{destination}: not released, because the file holds what it must not: {wrong[0]}")
        yield staged
    finally:
        with suppress(OSError):
            staged.drop()


def _given(project: Project, id_: str, staged: OnDisk, paper: Path, signed: bytes) -> None:
    """Write the receipt, and give the film its name. Should either fail, the log says so: the film is not out."""
    try:
        write_new(paper, signed)
        try:
            staged.publish()
        except BaseException:
            paper.unlink(missing_ok=True)
            raise
        with suppress(OSError):  # it has its name; some disks cannot be told to write that down
            files.sync(staged.path.parent)
    except (OSError, StoreError) as error:
        with suppress(FacedoubleError), project.change("release undone", {"release": id_}) as db:
            releases.undo(db, id_)
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise StoreError(f"{staged.path}: cannot get its name ({why}); nothing was released, choose another place") from error
