"""`facedouble init`, `unlock`, `lock`, `keys …`, `log …`: a project, who can open it, and what happened in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facedouble.cli.shown import OUT, Bar
from facedouble.cli.told import PassphraseFd
from facedouble.errors import ExitCode, StoreError, UsageError

if TYPE_CHECKING:
    from facedouble.store.keys import Secret

keys_app = typer.Typer(no_args_is_help=True, help="Who can open a project.")
log_app = typer.Typer(no_args_is_help=True, help="What happened in a project, in an order that nobody can change unseen.")

Folder = Annotated[Path, typer.Argument(help="the project's folder")]
Own = Annotated[bool, typer.Option("--own", help="type a passphrase of your own instead of nine words made here")]
Recipient = Annotated[str | None, typer.Option(help="an age recipient, age1…: its identity file opens, no passphrase")]
Identity = Annotated[Path | None, typer.Option(help="the age identity file of a key holder by recipient")]
Label = Annotated[str | None, typer.Option(help="which key holder (default: whom the passphrase fits)")]


def add_to(app: typer.Typer) -> None:
    """Put the commands on the command line."""
    app.command(epilog="Example: facedouble init film --holder noor")(init)
    app.command(epilog="Example: facedouble unlock film")(unlock)
    app.command(epilog="Example: facedouble lock film")(lock)
    app.add_typer(keys_app, name="keys")
    app.add_typer(log_app, name="log")


def init(
    folder: Folder,
    holder: Annotated[str, typer.Option(help="what the log calls the first key holder: a-z, 0-9, -; no real name")] = "",
    recipient: Recipient = None,
    own: Own = False,
    field: Annotated[str | None, typer.Option(help="for a laptop that only takes footage in: the film's recipient")] = None,
    machine: Annotated[str, typer.Option(help="strict: does not open on a machine with network; warn: says so")] = "strict",
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Make an encrypted project. Only who has a passphrase, or an age identity, can open it again."""
    from facedouble.cli.opened import networked
    from facedouble.store.keys import check_label, check_recipient
    from facedouble.store.project import check_free, create, create_field
    from facedouble.store.settings import MACHINES

    if machine not in MACHINES:
        raise UsageError(f"--machine has to be one of {', '.join(MACHINES)}")
    if field is not None:
        if holder or own or recipient is not None or passphrase_fd is not None:
            raise UsageError("a field project has no key holder: give --field alone")
        check_recipient(field)
        create_field(folder, field, machine).close()
        _say(f"{folder}: a field project; it takes footage in, and cannot show it again without the film's key")
    else:
        check_free(folder)  # before anybody writes a passphrase down
        if not holder:
            raise UsageError("who holds the key? Add --holder NAME, no real one: it can be read from outside")
        check_label(holder)
        with create(folder, holder, _secret(recipient, own, passphrase_fd, holder), machine) as project:
            _say(f"{folder}: a project, encrypted; {holder} holds its key")
            _say(f"  a lost passphrase cannot be made good: give a second person a key, `facedouble keys add {folder} NAME`")
            _say(f"  its recipient, for `facedouble init --field` on a field laptop: {project.recipient}")
            _head(project.log.head)
    if machine == "strict" and (reasons := networked(folder)):
        _say(f"  it is strict, and does not open on this machine, which is on a network: {'; '.join(reasons)}")


def unlock(
    folder: Folder,
    identity: Identity = None,
    holder: Label = None,
    minutes: Annotated[float, typer.Option(min=0.01, max=1440, help="lock again when nobody used it for so long")] = 30,
    accept_machine: Annotated[bool, typer.Option("--accept-machine", help="this machine is on a network, and a second key "
                                                                          "holder, who is asked too, takes it")] = False,
    second_identity: Annotated[Path | None, typer.Option(help="the second key holder's age identity file")] = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Let the commands that follow open the project, until `lock`, or until nobody used it for a while."""
    from facedouble.cli.opened import keyring_for, networked
    from facedouble.store import agent, settings
    from facedouble.store.machine import accept, admit
    from facedouble.store.project import Project

    if settings.read(folder).profile == "field":
        raise StoreError(f"{folder}: a field project has no key to unlock; it takes footage in as it is")
    keyring = keyring_for(folder, passphrase_fd, identity, holder)
    with Project.open(folder, keyring) as project:
        reasons = networked(folder)
        if accept_machine and project.settings.machine == "strict" and reasons:
            accept(project, reasons, keyring_for(folder, passphrase_fd, second_identity, whose="of a second key holder"))
        admit(project, reasons)
        agent.start(project.id, project.keyring, minutes)
        _say(f"{folder}: unlocked by {keyring.holder}, until nobody uses it for {minutes:g} minutes; `facedouble lock {folder}`")
        for reason in reasons:
            _say(f"  this machine is on a network: {reason}")


def lock(folder: Folder) -> None:
    """Forget the project's key."""
    from facedouble.store import agent, settings

    was = agent.stop(settings.read(folder).id)
    _say(f"{folder}: locked" if was else f"{folder}: was locked already")


@keys_app.command("list", epilog="Example: facedouble keys list film")
def keys_list(folder: Folder, passphrase_fd: PassphraseFd = None) -> None:
    """Say who holds a key, since when, and how they open it."""
    from facedouble.cli.opened import open_project
    from facedouble.store.holders import missing

    with open_project(folder, False, passphrase_fd) as project:
        gone = missing(project)
        for name, held in project.log.holders.items():
            how = held.kind if held.kind in ("passphrase", "field") else f"identity file of {held.kind}"
            _say(f"{name}: {how}, since {held.since:%Y-%m-%d}" + ("; THE FILE IS GONE" if name in gone else ""))
        _say(f"recipient of what comes now: {project.recipient}")


@keys_app.command("add", epilog="Example: facedouble keys add film ben")
def keys_add(folder: Folder, holder: Annotated[str, typer.Argument(help="what the log calls them: no real name")],
             recipient: Recipient = None, own: Own = False, passphrase_fd: PassphraseFd = None) -> None:
    """Give somebody else a key of their own. It opens everything in the project, also what is older."""
    from facedouble.cli.opened import open_project
    from facedouble.store.holders import add
    from facedouble.store.keys import check_label

    check_label(holder)
    with open_project(folder, True, passphrase_fd) as project:
        if holder in project.log.holders:
            raise UsageError(f"{holder} holds a key already; remove it first, or choose another name")
        add(project, holder, _secret(recipient, own, passphrase_fd, holder))
        _say(f"{folder}: {holder} holds a key now")
        _head(project.log.head)


@keys_app.command("remove", epilog="Example: facedouble keys remove film ben")
def keys_remove(folder: Folder, holder: Annotated[str, typer.Argument(help="whose key; not your own")],
                passphrase_fd: PassphraseFd = None) -> None:
    """Take somebody's key away: what comes from now on is encrypted to a new one."""
    from facedouble.cli.opened import open_project
    from facedouble.store.holders import remove

    with open_project(folder, True, passphrase_fd) as project:
        remove(project, holder)
        _say(f"{folder}: {holder} cannot open what comes from now on; what is older they could have copied")
        _say(f"  a field laptop has to be made anew: facedouble init FOLDER --field {project.recipient}")
        _head(project.log.head)


@keys_app.command("rotate", epilog="Example: facedouble keys rotate film")
def keys_rotate(folder: Folder,
                again: Annotated[bool, typer.Option("--again", help="write what is there already anew as well; "
                                                                    "takes as long as copying it")] = False,
                passphrase_fd: PassphraseFd = None) -> None:
    """Encrypt what comes from now on to a new key of the same holders. It takes no one's key away; `keys remove` does."""
    from facedouble.cli.opened import open_project
    from facedouble.store.again import encrypt_again
    from facedouble.store.holders import rotate

    with open_project(folder, True, passphrase_fd) as project:
        rotate(project)
        _say(f"{folder}: what comes from now on is encrypted to {project.recipient}")
        if again:
            with Bar() as bar:
                count = encrypt_again(project, lambda done, total: bar("encrypting again", done, total))
            _say(f"  {count} files that were there already, too; the log stays as it is, and so do copies elsewhere")
        _head(project.log.head)


@log_app.command("show", epilog="Example: facedouble log show film --last 5")
def log_show(folder: Folder, last: Annotated[int, typer.Option(min=1, help="how many of the newest entries")] = 20,
             passphrase_fd: PassphraseFd = None) -> None:
    """Show the newest entries: when, who, what; people and scenes by their ids."""
    from facedouble.cli.opened import open_project

    with open_project(folder, False, passphrase_fd) as project:
        if project.blind:
            raise StoreError(f"{folder}: a field project cannot read its own log; take it to where the key is")
        for e in project.log.entries[-last:]:
            facts = " ".join(f"{name}={value}" for name, value in e.facts.items())
            by = f"{e.actor} and {e.second}" if e.second else e.actor
            _say(f"{e.n:6d}  {e.wall:%Y-%m-%d %H:%M:%S}  {by}: {e.event}  {facts}")


@log_app.command("head", epilog="Example: facedouble log head film")
def log_head(folder: Folder, passphrase_fd: PassphraseFd = None) -> None:
    """Show eight words that stand for everything in the log so far, to write on paper."""
    from facedouble.cli.opened import open_project
    from facedouble.store.log import blind_head

    with open_project(folder, False, passphrase_fd) as project:
        n, head = blind_head(folder / "log")
        _say(f"entry {project.log.n or n}")
        _head(project.log.head if project.log.n else head)


@log_app.command("verify", epilog='Example: facedouble log verify film --words "…"')
def log_verify(folder: Folder,
               words: Annotated[str | None, typer.Option(help="eight words from paper, of now or of earlier")] = None,
               passphrase_fd: PassphraseFd = None) -> None:
    """Check every entry, the registry, and words from paper. Exit code 5 if anything was altered or rolled back."""
    from facedouble.cli.opened import unlocked
    from facedouble.store.verify import verify

    keyring = unlocked(folder, passphrase_fd)
    if keyring is None:
        raise StoreError(f"{folder}: a field project cannot read its own log; take it to where the key is")
    found = verify(folder, keyring, words)
    for note in found.notes:
        _say(f"  note: {note}")
    for alarm in found.alarms:
        _say(f"ALARM {alarm}")
    if found.alarms:
        raise typer.Exit(ExitCode.STORE)
    _say(f"{folder}: {found.log.n} entries; each follows the one before, and a key holder of its time signed it; the registry is "
         "the one of the last entry")


@log_app.command("recover", epilog="Example: facedouble log recover film")
def log_recover(folder: Folder, second_identity: Annotated[Path | None, typer.Option(help="the second key holder's age identity "
                                                                                          "file")] = None,
                passphrase_fd: PassphraseFd = None) -> None:
    """Accept an older copy of the project, because the newer one is lost: two key holders sign that."""
    from facedouble.cli.opened import admitted, keyring_for, unlocked
    from facedouble.store.project import older, recover

    keyring = unlocked(folder, passphrase_fd)
    if keyring is None:
        raise StoreError(f"{folder}: a field project has no key holders; start a new one")
    with admitted(older(folder, keyring)) as project:
        recover(project, keyring_for(folder, passphrase_fd, second_identity, whose="of a second key holder"))
        _say(f"{folder}: goes on from entry {project.log.n - 1}; the log says that the later ones are lost")
        _head(project.log.head)


def _secret(recipient: str | None, own: bool, descriptor: int | None, holder: str) -> Secret:
    from facedouble.cli.passphrases import chosen
    from facedouble.store.keys import Secret

    if recipient is None:
        return Secret(passphrase=chosen(own, descriptor, holder))
    if own:
        raise UsageError("either --own, or --recipient")
    return Secret(recipient=recipient)


def _say(line: str) -> None:
    OUT.print(line, markup=False)


def _head(head: str) -> None:
    from facedouble.store.log import words

    _say(f"  the log's head, to write on paper with today's date: {words(head)}")
