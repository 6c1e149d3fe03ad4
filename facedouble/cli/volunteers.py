"""`facedouble volunteer …`: who lends a face or a voice. They agree, approve and withdraw as everybody else does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facedouble.cli import persons, wishes
from facedouble.cli.persons import Proof, Record
from facedouble.cli.shown import OUT
from facedouble.cli.told import By, PassphraseFd, ProjectFolder, SecretFd, Who, opened
from facedouble.errors import UsageError

if TYPE_CHECKING:
    from facedouble.types import Consent

volunteer_app = typer.Typer(no_args_is_help=True, help="Volunteers, who lend a face or a voice.")


@volunteer_app.callback()
def _volunteer() -> None:
    """Volunteers, who lend a face or a voice."""


@volunteer_app.command("add", epilog="Example: facedouble volunteer add film --as v3 --by lin")
def add(
    folder: ProjectFolder, by: By,
    pseudonym: Annotated[str, typer.Option("--as", help="a pseudonym, a-z, 0-9, -; without it one is made")] = "",
    voice: Annotated[bool, typer.Option("--voice", help="they lend a voice, and no face")] = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Enter a volunteer."""
    persons.enter(folder, "voice-double" if voice else "double", by, pseudonym, (), passphrase_fd)


@volunteer_app.command("consent", epilog="Example: facedouble volunteer consent film v3 --record v3.toml --by lin")
def consent(
    folder: Annotated[Path | None, typer.Argument(help="the project")] = None,
    person: Annotated[str, typer.Argument(help="the pseudonym")] = "",
    record: Record = None, by: By = "", proof: Proof = None,
    template: Annotated[bool, typer.Option("--template", help="print an empty record, and do nothing else")] = False,
    secret_fd: SecretFd = None, passphrase_fd: PassphraseFd = None,
) -> None:
    """Write down what a volunteer agreed to: also that they may be mistaken for a witness, and where they should not travel."""
    persons.agree(folder, person, record, by, proof, template, secret_fd, passphrase_fd, True)


@volunteer_app.command("lend", epilog="Example: facedouble volunteer lend film v3 ana.fdouble --by lin")
def lend(
    folder: ProjectFolder, person: Who,
    file: Annotated[Path, typer.Argument(help="their .fdouble or .fvoice, or the take, or folder of takes, of the plan")],
    by: By,
    called: Annotated[str, typer.Option(help="what the consent in the file calls them, if there are several in it")] = "",
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Say whose face or voice is in a file. Without that, no film with it goes out."""
    from facedouble.store import people, volunteers

    project = opened(folder, True, passphrase_fd)
    who = people.get(project.db, person)
    kind, id_, said = _held(project.folder, file)
    with project.change("lent", {"person": who.id, "kind": kind, "file": id_}) as db:
        lent = volunteers.lend(db, who.id, kind, id_, said, by, persons.now(), called)
    others = lent.parts - len(volunteers.lenders(project.db, kind, id_))
    OUT.print(f"{who.id} lends the {kind} {id_}" + (f"; {others} more volunteers in it have to be entered" if others else ""),
              markup=False)


def _held(project: Path, file: Path) -> tuple[str, str, Consent | None]:
    """What a file lends, its id, and the consent in it."""
    from facedouble.doubles.file import read_double
    from facedouble.voice.file import read_voice

    if file.suffix == ".fdouble":
        double = read_double(file)
        return "face", double.id, double.consent
    if file.suffix == ".fvoice":
        voice = read_voice(file)
        return "voice", voice.id, voice.consent
    from facedouble import disk
    from facedouble.pipeline.appearing import take_id

    if not disk.exists(file):
        raise UsageError(f"{file}: no such file; give a .fdouble, a .fvoice, or the take, or folder of takes, of the plan")
    return "voice", take_id(project, file), None


volunteer_app.command("contact", epilog="Example: facedouble volunteer contact film v3 --by lin --secret-fd 3")(persons.contact)
volunteer_app.command("withdraw", epilog="Example: facedouble volunteer withdraw film v3 --by lin")(wishes.withdraw)
volunteer_app.command("show", epilog="Example: facedouble volunteer show film v3")(persons.show)
volunteer_app.command("erase", epilog="Example: facedouble volunteer erase film v3 --record --by lin")(wishes.erase)
