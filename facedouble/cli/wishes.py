"""What somebody wants: out of the film, out of a part of it, to be seen, to be disguised again, to be forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from facedouble.cli.persons import now, person_app
from facedouble.cli.shown import OUT
from facedouble.cli.told import By, PassphraseFd, ProjectFolder, Who, opened, proof_of
from facedouble.errors import UsageError

Parts = Annotated[list[str] | None, typer.Option("--part", help="only this: film, trailer, stills, court, face, voice, body, "
                                                                 "story; can be given again")]


@person_app.command("withdraw", epilog="Example: facedouble person withdraw film rose --by lin")
def withdraw(
    folder: ProjectFolder, person: Who, by: By,
    part: Parts = None,
    erase_record: Annotated[bool, typer.Option("--erase-record", help="they also want real name, proof and how to reach them "
                                                                     "erased")] = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Somebody wants out, of everything or of a part. No reason is asked for. It holds at once."""
    from facedouble.store import people
    from facedouble.store.withdrawal import RECALL, check
    from facedouble.store.withdrawal import withdraw as run

    check(part or ())
    project = opened(folder, True, passphrase_fd)
    who = people.get(project.db, person)
    with project.change("withdrawn", {"person": who.id, "parts": list(part or ())}) as db:
        done = run(db, who.id, by, now(), tuple(part or ()), erase_record)
    OUT.print(f"{who.id} has withdrawn {', '.join(done.parts) or 'everything'}: from now on it is in no release", markup=False)
    for past in done.past:
        OUT.print(f"  released {past.day} for {past.purpose}: {past.id}", markup=False)
    OUT.print(f"  {RECALL}" if done.past else "  they are in no release so far")
    if not part or {"face", "voice"} & set(part):
        _measures(project, who.id)


def _measures(project: Any, person: str) -> None:
    """Take away what was measured of them, and what they lent and have withdrawn; and say what that does not reach."""
    from facedouble.pipeline.forget import forget
    from facedouble.store import consents, people, volunteers

    who, withdrawn = people.get(project.db, person), consents.standing(project.db, person).withdrawn
    lent = [one for one in volunteers.lent_by(project.db, person) if one.kind in withdrawn]
    OUT.print("  the key to what their face and voice can be known by is erased; copies of the project from before still hold it")
    done = forget(project.folder, who, lent)
    if done.gone:
        OUT.print(f"  {done.gone} files went: what was measured of them, and what they lent; `facedouble analyse` measures the "
                  "others in those clips again", markup=False)
    if done.left:
        OUT.print("  could not go, or be looked at; mend these, then repeat this command:")
        for sentence in done.left:
            OUT.print(f"    {sentence}", markup=False)
    OUT.print("  footage, sheets and films that were made before stay in the project")


@person_app.command("unmask", epilog="Example: facedouble person unmask film rose --from 2027-03-01 --for film "
                                     "--present lin --present noor --by lin")
def unmask(
    folder: ProjectFolder, person: Who, by: By,
    start: Annotated[str, typer.Option("--from", help="the first day: 2027-03-01")],
    purposes: Annotated[list[str], typer.Option("--for", help="film, trailer, stills, court; can be given again")],
    parts: Annotated[list[str] | None, typer.Option("--part", help="only the face, or only the voice")] = None,
    present: Annotated[list[str] | None, typer.Option(help="somebody who was there and heard it: a code; two of them")] = None,
    signature: Annotated[Path | None, typer.Option(help="or their signature: a scan or a recording; kept sealed")] = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Somebody who was disguised wants to be seen. Only they can say so, and nobody else is shown by it."""
    from facedouble.store import people, unmasking

    project = opened(folder, True, passphrase_fd)
    who, data = people.get(project.db, person), proof_of(signature)
    wish = unmasking.Unmasking(start, tuple(purposes), tuple(parts or unmasking.PARTS), tuple(present or ()), bool(data))
    with project.change("unmasked", {"person": who.id, "start": start, "scope": list(wish.scope)}) as db:
        unmasking.unmask(db, who.id, wish, by, now(), data)
    OUT.print(f"{who.id} may be seen from {start} on: {', '.join(wish.parts)}; {', '.join(wish.scope)}. Now change the plan, "
              "render, and show them", markup=False)


@person_app.command("mask", epilog="Example: facedouble person mask film rose --by lin")
def mask(folder: ProjectFolder, person: Who, by: By, passphrase_fd: PassphraseFd = None) -> None:
    """Somebody wants to be disguised again. What was shown already stays shown."""
    from facedouble.store import people, unmasking

    project = opened(folder, True, passphrase_fd)
    who = people.get(project.db, person)
    with project.change("masked again", {"person": who.id}) as db:
        unmasking.mask(db, who.id, by, now())
    OUT.print(f"{who.id} is disguised again from now on", markup=False)


@person_app.command("erase", epilog="Example: facedouble person erase film rose --record --by lin")
def erase(
    folder: ProjectFolder, person: Who, by: By,
    record: Annotated[bool, typer.Option("--record", help="real name, how to reach them, proofs, notes")] = False,
    biometrics: Annotated[bool, typer.Option("--biometrics", help="what their face and voice can be known by, and what "
                                                                "they lent and have withdrawn")] = False,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Erase what is kept about somebody, on their wish, by erasing the key. It cannot be undone."""
    from facedouble.store import people
    from facedouble.store.withdrawal import erase as run

    kinds = [kind for kind, wanted in (("record", record), ("biometrics", biometrics)) if wanted]
    if not kinds:
        raise UsageError("what is to be erased? Give --record, --biometrics, or both")
    project = opened(folder, True, passphrase_fd)
    who = people.get(project.db, person)
    with project.change("erased", {"person": who.id, "kinds": kinds}) as db:
        run(db, who.id, kinds, by, now())
    OUT.print(f"{who.id}: erased: {', '.join(kinds)}; copies of the project from before still hold it", markup=False)
    if biometrics:
        _measures(project, who.id)
