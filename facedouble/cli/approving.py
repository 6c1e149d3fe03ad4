"""`facedouble approve`, `object`, `unreachable`, `approvals`: what people said about the scenes that they are in."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from facedouble.cli.answering import override
from facedouble.cli.persons import now, person_app
from facedouble.cli.shown import OUT
from facedouble.cli.told import By, PassphraseFd, ProjectFolder, SecretFd, Who, opened, told
from facedouble.cli.volunteers import volunteer_app
from facedouble.errors import UsageError

Scenes = Annotated[list[int] | None, typer.Option("--scene", help="the scene's number; can be given again")]
Every = Annotated[bool, typer.Option("--every-scene", help="all scenes that they are in, each of which they saw")]
RenderId = Annotated[str, typer.Option("--render", help="id that `render` printed; default: the newest")]
Method = Annotated[str, typer.Option("--how", help="in-person, pack, signature, two-witnesses")]
Present = Annotated[list[str] | None, typer.Option(help="who was there: a code; for two-witnesses two of them")]
Note = Annotated[bool, typer.Option("--note", help="ask for a note, which is kept sealed")]


def approve(folder: ProjectFolder, person: Who, by: By, how: Method, scene: Scenes = None, every: Every = False,
            render: RenderId = "", present: Present = None, note: Note = False, secret_fd: SecretFd = None,
            passphrase_fd: PassphraseFd = None) -> None:
    """Somebody saw their scene as it will go out, and says yes. It is a yes to exactly that picture, sound and subtitles."""
    _say(folder, person, "approved", by, how, scene, every, render, present, note, secret_fd, passphrase_fd)


def object_(folder: ProjectFolder, person: Who, by: By, how: Method, scene: Scenes = None, every: Every = False,
            render: RenderId = "", present: Present = None, note: Note = False, secret_fd: SecretFd = None,
            passphrase_fd: PassphraseFd = None) -> None:
    """Somebody says no to a scene, also if they said yes before. Nothing with it goes out."""
    _say(folder, person, "objected", by, how, scene, every, render, present, note, secret_fd, passphrase_fd)


def unreachable(folder: ProjectFolder, person: Who, by: By, scene: Scenes = None, every: Every = False, render: RenderId = "",
                note: Note = False, secret_fd: SecretFd = None, passphrase_fd: PassphraseFd = None) -> None:
    """It was tried to reach somebody, in vain. That is no approval: cover and mute them, make the film of footage without
    the scene, or two key holders answer for it."""
    _say(folder, person, "unreachable", by, "", scene, every, render, None, note, secret_fd, passphrase_fd)


def _say(folder: Any, person: str, state: str, by: str, how: str, scene: list[int] | None, every: bool, render: str,
         present: list[str] | None, note: bool, secret_fd: int | None, passphrase_fd: int | None) -> None:
    from facedouble.store import approvals, people, renders

    if bool(scene) is every:
        raise UsageError("which scenes? Give --scene 3, again for each, or --every-scene")
    project = opened(folder, True, passphrase_fd)
    made, who = renders.get(project.db, render), people.get(project.db, person)
    mine = [s.number for s in made.scenes if who.id in {a.person for a in approvals.asked(project.db, s)}]
    numbers = mine if every else list(dict.fromkeys(scene or ()))
    if not numbers:
        raise UsageError(f"{who.id} is in no scene of render {made.id}, and lends nothing to it; nothing is to be asked")
    words = told(("note",), secret_fd)["note"] if note or secret_fd is not None else ""
    facts = {"person": who.id, "render": made.id, "scenes": [made.scene(n).hash for n in numbers]}
    with project.change(state, facts) as db:
        for number in numbers:
            approvals.say(db, made, number, who.id, state, by, now(), how.replace("-", " "), words, tuple(present or ()))
    OUT.print(f"{who.id} {approvals.STATES[state]}: scene {', '.join(map(str, numbers))} of render {made.id}", markup=False)


def approvals_(folder: ProjectFolder, render: RenderId = "",
               purpose: Annotated[str, typer.Option("--for", help="film, trailer or stills; default: as it was rendered")] = "",
               passphrase_fd: PassphraseFd = None) -> None:
    """Who said what about each scene, and what is missing before it can be released. The exit code is that of a release."""
    from rich.table import Table

    from facedouble.store import acts, approvals, people, release_rules, renders

    project = opened(folder, False, passphrase_fd)
    db, keys = project.db, {holder: held.key for holder, held in project.log.holders.items()}
    made = renders.get(db, render)
    wanted = purpose or made.purpose
    time = acts.latest(db, now(), (entry.wall for entry in project.log.entries))
    found = release_rules.blockers(db, made, wanted, time, True, keys)
    table = Table("scene", "frames", "who", "is", "said", "what is missing", title=f"render {made.id}, for {wanted}")
    for scene in made.scenes:
        rows = {a.person: (a.lends and f"lends a {a.lends}") for a in approvals.asked(db, scene)}
        passing = (people.find(db, a.person) for a in scene.people)
        rows |= {who.id: "passer-by" for who in passing if who is not None and who.role == "passer-by"}
        for person, lends in rows.items() or {"": ""}.items():
            how = ", ".join(f"{a.face}/{a.voice}" for a in scene.people if _is(db, a.person, person))
            said = approvals.state(db, person, scene.hash, wanted) if person else None
            lacks = [b.sentence.split(": ", 1)[1] for b in found if b.scene == scene.number and b.person == person]
            table.add_row(str(scene.number), f"{scene.start}–{scene.stop}", person or "nobody", lends or how,
                          "" if said is None else f"{approvals.STATES[said.state]} {said.method}".strip(),
                          "; ".join(lacks) or "–")
    OUT.print(table)
    for blocker in found:
        if blocker.scene is None or not blocker.person:
            OUT.print(blocker.sentence, markup=False)
    OUT.print("nothing is missing" if not found else f"{len(found)} things are missing", markup=False)
    if found:
        raise typer.Exit(release_rules.exit_code(found))


def _is(db: Any, name: str, person: str) -> bool:
    from facedouble.store import people

    found = people.find(db, name)
    return (name if found is None else found.id) == person


def register(app: typer.Typer) -> None:
    """Add them all."""
    app.add_typer(person_app, name="person")
    app.add_typer(volunteer_app, name="volunteer")
    app.command("approve", epilog="Example: facedouble approve film rose --scene 1 --how in-person --by lin")(approve)
    app.command("object", epilog="Example: facedouble object film rose --scene 1 --how in-person --by lin")(object_)
    app.command("unreachable", epilog="Example: facedouble unreachable film rose --every-scene --by lin")(unreachable)
    app.command("override", epilog='Example: facedouble override film sam --scene 2 --reason "he said yes to the cut '
                                   'before this one" --second ben')(override)
    app.command("approvals", epilog="Example: facedouble approvals film")(approvals_)
