"""`facedouble add`, `receive` and `evidence …`: footage comes in, stays what it was, and goes to a court or an archive."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from facedouble.cli.shown import ERR, OUT, Stop
from facedouble.cli.shown import size as in_words
from facedouble.cli.told import PassphraseFd
from facedouble.errors import InputRefused, StoreError, UsageError

Folder = Annotated[Path, typer.Argument(help="the project's folder")]
COPIES = """What you added is encrypted here. These copies are not, and whoever seizes them has everything:
  the phone or camera and its card · the phone's bin and "recently deleted" · cloud backups and chat apps that it went through ·
  the disk or stick you brought it on · thumbnails that a file manager made of it
Deleting frees the space, and does not overwrite it: encrypt, keep safe, or destroy the card."""

evidence_app = typer.Typer(no_args_is_help=True, help="Is the footage still what was handed over, and how others can check that.")


def add_to(app: typer.Typer) -> None:
    """Put the commands on the command line."""
    app.command(epilog="Example: facedouble add film /media/card/*.MP4")(add)
    app.command(epilog="Example: facedouble receive film /media/stick/field")(receive)
    app.add_typer(evidence_app, name="evidence")


def add(
    folder: Folder,
    footage: Annotated[list[Path], typer.Argument(help="files; they are copied as they are, and not looked into")],
    trophy: Annotated[bool, typer.Option("--trophy", help="made by the perpetrators")] = False,
    from_whom: Annotated[str | None, typer.Option(help="- asks who handed them over, and seals what you type")] = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Take footage in, encrypted: hashed while it is copied, entered into the log, and never changed again."""
    from facedouble.cli.opened import open_project
    from facedouble.store import intake, log

    if from_whom not in (None, "-"):
        raise UsageError("what stands on a command line is kept by the shell: write --from-whom - and type it when you are asked")
    with open_project(folder, True, passphrase_fd) as project:
        note = "" if from_whom is None else _note()
        refused, taken = [], 0
        with intake.taking(project) as vault, _copying() as watch:
            for number, path in enumerate(footage, 1):
                try:
                    item, fresh = intake.add(project, vault, path, "trophy" if trophy else "footage", note,
                                             watch(f"{number} of {len(footage)}"))
                except InputRefused as error:
                    refused.append(str(error))
                    continue
                taken += fresh
                where = f"footage/{item.shelf}" if item.shelf else "sealed; this laptop cannot open it"
                _say(f"{_plain(path.name)}: {item.id}, {in_words(item.blob.size)}, "
                     + (where if fresh else f"is here already, {where}"))
        if taken:
            _say(COPIES)
        if taken and project.blind:
            _say(f"The log ends at: {log.words(log.blind_head(folder / 'log')[1])}\n  write that on paper, and keep it apart "
                 "from this laptop: `facedouble receive` shows it again")
        _refused(refused)


def receive(
    folder: Folder,
    field: Annotated[Path, typer.Argument(help="the field project, on the stick or laptop it came on")],
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Take in what a field laptop gathered: its log is checked, each file compared with what was written down there."""
    from facedouble.cli.opened import open_project
    from facedouble.store import intake, log
    from facedouble.store.receive import receive as run

    with open_project(folder, True, passphrase_fd) as project:
        if project.blind:
            raise UsageError(f"{folder}: is a field project itself; receive it in the film's project")
        altered = 0
        with intake.taking(project) as vault, _copying() as watch:
            assert vault is not None
            for one in run(project, vault, field, watch(field.name)):
                if one.item is None:
                    altered += 1
                    ERR.print(f"facedouble: entry {one.entry} of the field log: {one.refused}", markup=False)
                else:
                    _say(f"{one.item.id}: footage/{one.item.shelf}" + (", is here already" if one.double else ""))
        _say(f"the field laptop's log ends at: {log.words(log.blind_head(field / 'log')[1])}")
        _say("  compare that with what its user wrote down, if they did")
        if altered:
            raise StoreError(f"{field}: {altered} files there are not what was added, and were not taken; ask for another copy")


@evidence_app.command("list", epilog="Example: facedouble evidence list film")
def list_(folder: Folder, passphrase_fd: PassphraseFd = None) -> None:
    """What was handed over, and what it is called in the project."""
    from facedouble.cli.opened import open_project
    from facedouble.store.evidence import items

    with open_project(folder, False, passphrase_fd) as project:
        for item in items(project.db):
            _say(f"{item.id}  {item.added[:10]}  {item.kind:7}  {in_words(item.blob.size):>9}  footage/{item.shelf}"
                 + ("  with a note" if item.note else ""))


@evidence_app.command("note", epilog="Example: facedouble evidence note film e-1f2e3d4c")
def note(folder: Folder, id: Annotated[str, typer.Argument(help="as `evidence list` says it")],
         passphrase_fd: PassphraseFd = None) -> None:
    """Read the sealed note of who handed something over."""
    from facedouble.cli.opened import open_project
    from facedouble.store.evidence import items
    from facedouble.store.intake import blobs_of

    with open_project(folder, False, passphrase_fd) as project:
        for item in items(project.db):
            if item.id == id:
                _say("no note was made" if item.note is None else _plain(blobs_of(project).read(item.note).decode()))
                return
    raise UsageError(f"{_plain(id)}: is no evidence of this project; see `facedouble evidence list {folder}`")


@evidence_app.command("verify", epilog="Example: facedouble evidence verify film")
def verify(folder: Folder, passphrase_fd: PassphraseFd = None) -> None:
    """Read and hash everything again, out of the encrypted files, and compare it with the manifest and the log."""
    from facedouble.cli.opened import open_project
    from facedouble.store.proof import verify as run

    with open_project(folder, False, passphrase_fd) as project, _copying() as watch:
        found = list(run(project, watch("verify")))
    wrong = [(id, said) for id, said in found if said]
    for id, said in wrong:
        ERR.print(f"{id}: {said}", markup=False)
    if wrong:
        raise StoreError(f"{folder}: {len(wrong)} of {len(found)} files are not what was handed over; keep the project as it is, "
                         "and compare it with a copy")
    _say(f"{len(found)} files, each as it was handed over")


@evidence_app.command("export", epilog="Example: facedouble evidence export film court.age --to age1…")
def export(
    folder: Folder,
    output: Annotated[Path, typer.Argument(help="a new file outside of the project, .age")],
    to: Annotated[str | None, typer.Option(help="the age recipient of whoever gets it; else a passphrase is asked for")] = None,
    only: Annotated[list[str] | None, typer.Option(help="ids, as `evidence list` says them; all if there are none")] = None,
    passphrase_fd: Annotated[int | None, typer.Option(help="read the project's passphrase, if it is locked, and then the "
                                                           "export's from this descriptor, one a line")] = None,
) -> None:
    """Seal originals, manifest, extract of the log and a signature in one file, for `age`, `tar` and `sha256sum`.

    They leave the project as they are, bare faces and voices. Nobody's yes is asked for; the log keeps which files, and who.
    """
    from facedouble.cli.opened import open_project
    from facedouble.cli.passphrases import chosen
    from facedouble.store.export import export as run
    from facedouble.store.keys import check_recipient

    if output.suffix.lower() != ".age":
        raise UsageError(f"{output}: let its name end in .age")
    if to is not None:
        check_recipient(to)
    with open_project(folder, True, passphrase_fd) as project:
        said = None if to is not None else chosen(False, passphrase_fd, "the export")
        with _copying() as watch:
            found = run(project, output, to, said, only or (), watch("export"))
    _say(f"{output}: {len(found)} files, sealed; `age -d {output} | tar x` opens it, README.txt in it says how to check it")


def _note() -> str:
    """What somebody types, to the end of the line."""
    if sys.stdin.isatty():
        ERR.print("Who handed this over, and how? One line; only who holds the key can read it: ", end="")
    typed = sys.stdin.readline().strip()
    if not typed:
        raise UsageError("no note was typed; leave --from-whom out if there is none")
    return typed


@contextmanager
def _copying() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """A bar for each file."""
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
                  console=ERR) as bar:
        def watch(what: str) -> Callable[[int, int], None]:
            task = bar.add_task(what, total=None)

            def told(done: int, total: int) -> None:
                Stop.here()
                bar.update(task, completed=done, total=total)
            return told
        yield watch


def _refused(said: list[str]) -> None:
    for one in said[:-1]:
        ERR.print(f"facedouble: {_plain(one)}", markup=False)
    if said:
        raise InputRefused(_plain(said[-1]))


def _plain(text: str) -> str:
    """What a terminal shows and does not obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _say(text: str) -> None:
    OUT.print(text, markup=False)
