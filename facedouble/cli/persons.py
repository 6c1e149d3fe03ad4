"""`facedouble person …`: who is in the film, what they agreed to, how they are reached."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from facedouble.cli.shown import OUT
from facedouble.cli.told import By, PassphraseFd, ProjectFolder, SecretFd, Who, opened, proof_of, told
from facedouble.errors import ConsentError, UsageError

person_app = typer.Typer(no_args_is_help=True, help="The people of a film: what they agreed to, and what they want.")

Record = Annotated[Path | None, typer.Option(help="the consent record, filled in: `--template` prints an empty one")]
Proof = Annotated[Path | None, typer.Option(help="a scan or a recording that proves it; kept sealed")]


def now() -> dt.datetime:
    """The time by this machine's clock."""
    return dt.datetime.now(dt.UTC)


@person_app.callback()
def _person() -> None:
    """The people of a film: what they agreed to, and what they want."""


@person_app.command("add", epilog="Example: facedouble person add film witness --as rose --plan P1 --by lin")
def add(
    folder: ProjectFolder,
    role: Annotated[str, typer.Argument(help="witness, shown, or passer-by (whom nobody can ask: always covered and mute)")],
    by: By,
    pseudonym: Annotated[str, typer.Option("--as", help="a pseudonym, a-z, 0-9, -; without it one is made; no real name")] = "",
    plan: Annotated[list[str] | None, typer.Option(help="what the plan calls them, P1; can be given again")] = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Enter somebody who is seen or heard in the film, be it under a veil."""
    if role in ("double", "voice-double"):
        raise UsageError("a volunteer is entered with `facedouble volunteer add`")
    enter(folder, role, by, pseudonym, tuple(plan or ()), passphrase_fd)


def enter(folder: Path, role: str, by: str, pseudonym: str, plan: tuple[str, ...], passphrase_fd: int | None) -> None:
    """Enter a person of any role."""
    from facedouble.store import people

    project = opened(folder, True, passphrase_fd)
    facts: dict[str, str] = {}
    with project.change("person added", facts) as db:
        who = people.add(db, role, by, now(), pseudonym, plan)
        facts |= {"person": who.id, "role": role}
    OUT.print(f"{who.id}: {role}" + (f", {', '.join(who.plan)} in the plan" if who.plan else ""), markup=False)


@person_app.command("name", epilog="Example: facedouble person name film rose P4 --by lin")
def name(folder: ProjectFolder, person: Who, plan: Annotated[str, typer.Argument(help="what the plan calls them, P4")], by: By,
         passphrase_fd: PassphraseFd = None) -> None:
    """Say which person of the plan this is, once more footage has come."""
    from facedouble.store import people

    project = opened(folder, True, passphrase_fd)
    with project.change("person found in the plan", {"person": people.get(project.db, person).id}) as db:
        who = people.call(db, person, plan, by, now())
    OUT.print(f"{who.id}: {', '.join(who.plan)} in the plan", markup=False)


@person_app.command("role", epilog="Example: facedouble person role film man witness --by lin")
def role_(folder: ProjectFolder, person: Who, role: Annotated[str, typer.Argument(help="witness or shown")], by: By,
          passphrase_fd: PassphraseFd = None) -> None:
    """A passer-by was found and can be asked: from now on their consent and their yes are needed."""
    from facedouble.store import people

    project = opened(folder, True, passphrase_fd)
    with project.change("person became known", {"person": people.get(project.db, person).id}) as db:
        who = people.become(db, person, role, by, now())
    OUT.print(f"{who.id}: {role}", markup=False)


@person_app.command("list", epilog="Example: facedouble person list film")
def list_(folder: ProjectFolder, passphrase_fd: PassphraseFd = None) -> None:
    """Everybody, with what of their consent holds today."""
    from facedouble.store import people

    db = opened(folder, False, passphrase_fd).db
    for who in people.everybody(db):
        names = f" ({', '.join(who.plan)})" if who.plan else ""
        OUT.print(f"{who.id}{names}: {who.role}; {standing(db, who)}", markup=False)


def standing(db: Any, who: Any) -> str:
    """What of somebody's consent holds, in a few words."""
    from facedouble.store import acts, consents

    held = consents.standing(db, who.id)
    if who.role == "passer-by" and held.agreed is None and not held.last:
        return "nobody asked them; covered and mute"
    if held.agreed is None:
        return "HAS WITHDRAWN" if held.last else "NO CONSENT YET"
    today = acts.day(acts.latest(db, now())).isoformat()
    when = f"{held.agreed.start} to {held.agreed.until or 'no end'}"
    over = ", NOT TODAY" if today < held.agreed.start or (held.agreed.until and held.agreed.until < today) else ""
    gone = f", WITHOUT {', '.join(sorted(held.withdrawn))}" if held.withdrawn else ""
    return f"for {', '.join(held.agreed.scope)}; {', '.join(held.agreed.covers)}; {when}{over}{gone}"


@person_app.command("show", epilog="Example: facedouble person show film rose")
def show(folder: ProjectFolder, person: Who,
         secrets: Annotated[bool, typer.Option("--secrets", help="with real name and how to reach them, on this screen")] = False,
         passphrase_fd: PassphraseFd = None) -> None:
    """Everything that was written down about somebody, first to last."""
    from facedouble.store import acts, consents, people, personal, releases, unmasking, volunteers

    db = opened(folder, False, passphrase_fd).db
    who = people.get(db, person)
    OUT.print(f"{who.id}: {who.role}; {standing(db, who)}", markup=False)
    if (agreed := consents.standing(db, who.id).agreed) is not None:
        OUT.print(f"  explained in {agreed.language} by {agreed.explained_by}: {agreed.audience}", markup=False)
        if agreed.stay_away:
            OUT.print(f"  should not travel to {', '.join(agreed.stay_away)}", markup=False)
    for lent in volunteers.lent_by(db, who.id):
        among = f", one of {lent.parts} in it" if lent.parts > 1 else ""
        OUT.print(f"  lends a {lent.kind}: {lent.file}{among}", markup=False)
    for purpose in ("film", "trailer", "stills", "court"):
        if parts := unmasking.open_parts(db, who.id, purpose, now()):
            OUT.print(f"  wants to be seen in the {purpose}: {', '.join(parts)}", markup=False)
    for act in acts.of(db, who.id):
        OUT.print(f"  {act.at[:10]} {act.kind}, written down by {act.by}", markup=False)
    for past in releases.of(db, who.id):
        OUT.print(f"  released {past.day} for {past.purpose}: {past.id}", markup=False)
    for key in ("real-name", "reach", "note") if secrets else ():
        if (data := personal.kept(db, who.id, key)) is not None:
            OUT.print(f"  {key}: {data.decode(errors='replace')}", markup=False)


@person_app.command("consent", epilog="Example: facedouble person consent film rose --record rose.toml --by lin")
def consent(
    folder: Annotated[Path | None, typer.Argument(help="the project")] = None,
    person: Annotated[str, typer.Argument(help="the pseudonym, or what the plan calls them, P1")] = "",
    record: Record = None,
    by: By = "",
    proof: Proof = None,
    template: Annotated[bool, typer.Option("--template", help="print an empty record, and do nothing else")] = False,
    secret_fd: SecretFd = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Write down what somebody agreed to. It takes the place of the record before, so it has to say all that holds."""
    agree(folder, person, record, by, proof, template, secret_fd, passphrase_fd, False)


def agree(folder: Path | None, person: str, record: Path | None, by: str, proof: Path | None, template: bool,
          secret_fd: int | None, passphrase_fd: int | None, volunteer: bool) -> None:
    """Print an empty record, or write a filled one down."""
    from facedouble.store import consent_form, consents, people

    if template:
        typer.echo(consent_form.template(volunteer), nl=False)
        return
    if folder is None or not person or record is None:
        raise UsageError("give the project, the person and --record; `--template` prints an empty record")
    project = opened(folder, True, passphrase_fd)
    who = people.get(project.db, person)
    if who.volunteer is not volunteer:
        raise UsageError(f"{who.id} is a {who.role}: use `facedouble {'volunteer' if who.volunteer else 'person'} consent`")
    agreed = consent_form.parse(_text(record), dt.date.today())
    kept = told(("reach", "real_name"), secret_fd)
    with project.change("consent recorded", {"person": who.id, "scope": list(agreed.scope), "until": agreed.until}) as db:
        consents.record(db, who.id, agreed, by, now(), kept["reach"], kept["real_name"], proof_of(proof))
    OUT.print(f"{who.id}: {standing(project.db, who)}", markup=False)


def _text(path: Path) -> str:
    from facedouble import disk

    try:
        return disk.read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConsentError(f"{path}: the consent record cannot be read; `--template` prints an empty one to fill in") from error


@person_app.command("contact", epilog="Example: facedouble person contact film rose --by lin --secret-fd 3")
def contact(
    folder: ProjectFolder, person: Who, by: By,
    reached: Annotated[bool, typer.Option("--reached/--not-reached", help="whether they were reached")] = True,
    moved: Annotated[bool, typer.Option("--moved", help="ask how they can be reached from now on")] = False,
    secret_fd: SecretFd = None, passphrase_fd: PassphraseFd = None,
) -> None:
    """Write down that somebody was contacted again, or that it was tried."""
    from facedouble.store import consents, people

    project = opened(folder, True, passphrase_fd)
    who = people.get(project.db, person)
    kept = told(("note", "reach") if moved or secret_fd is not None else ("note",), secret_fd)
    with project.change("contacted", {"person": who.id, "reached": reached}) as db:
        consents.contacted(db, who.id, reached, by, now(), kept["note"], kept.get("reach", ""))
    OUT.print(f"{who.id}: {'reached' if reached else 'not reached'}, written down", markup=False)
