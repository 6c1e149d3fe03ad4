"""`facedouble plan voice, turn, bleep, ambience, voices, add-voice`: what is decided about the sound of a film."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from facedouble import disk
from facedouble.cli.changed import PlanPath, change, plain
from facedouble.cli.shown import OUT
from facedouble.errors import UsageError

ClipName = Annotated[str, typer.Option(help="the clip's letter; may be left out if there is one only")]
By = Annotated[str, typer.Option(help="who decides")]
Reason = Annotated[str, typer.Option(help="and why; keep needs it")]


def add_voice(plan: PlanPath, name: Annotated[str, typer.Argument(help="one word, by which the plan calls it")],
              path: Annotated[Path, typer.Argument(help="the .fvoice file")]) -> None:
    """Put a volunteer's voice at the plan's disposal."""
    from facedouble.errors import InputRefused
    from facedouble.plan import edit
    from facedouble.plan.voices import VoiceFile

    if not disk.is_file(path):
        raise InputRefused(f"{path}: there is no such voice; make one with `facedouble voice make`")
    change(plan, lambda text: edit.add(text, VoiceFile(name, os.path.relpath(path, plan.parent))), f"voice {name}")


def voice(
    plan: PlanPath,
    person: Annotated[str, typer.Argument(help="the person's id, as P1")],
    said: Annotated[str, typer.Argument(metavar="VOICE", help='mute, "double NAME", "revoice FILE" (or a folder), or keep')],
    by: By = "",
    reason: Reason = "",
) -> None:
    """Say what becomes of all that a person says."""
    from facedouble.plan import edit

    change(plan, lambda text: edit.voice(text, person, _voicing(said, by, reason)), f"{person}: voice {plain(said)}")


def turn(
    plan: PlanPath,
    numbers: Annotated[list[str], typer.Argument(metavar="[CLIP] TURNS… WHO",
                                                 help="turns by number (3, 4-9) or by the voice that was heard (voice:1), "
                                                      'and whose they are, as P2; "nobody" if that is not known')],
    voice: Annotated[str | None, typer.Option(help='only for these turns: mute, "double NAME", "revoice FILE", keep; or '
                                              '"person": again as that person')] = None,
    by: By = "",
    reason: Reason = "",
) -> None:
    """Say whose turns these are, or what becomes of them; `plan voices` lists them."""
    from facedouble.pipeline.film import Home
    from facedouble.plan import edit, typed
    from facedouble.plan.read import read

    held = read(Home(plan).text())
    words = list(numbers)
    clip = typed.clip_of(held, words.pop(0) if words[0] in {c.id for c in held.clips} else "")
    who = None if not words or _is_turn(words[-1]) else words.pop()
    if not words or (who is None and voice is None):
        raise UsageError("say which turns and whose they are: facedouble plan turn film.plan.toml A 3 P2")
    wanted = [number for word in words for number in _numbers(word, held, clip.id)]
    person = "" if who == "nobody" else who

    def changed(text: str) -> str:
        if voice == "person":
            text = edit.as_person(text, clip.id, wanted)
        own = None if voice in (None, "person") else _voicing(voice or "", by, reason)
        return edit.turns(text, clip.id, wanted, person, own)

    change(plan, changed, f"{len(wanted)} turns of clip {clip.id}" + (f": {who}" if who else "")
           + (f", voice {plain(voice)}" if voice else ""))


def _is_turn(word: str) -> bool:
    return word.replace("-", "").isdigit() or word.startswith("voice:")


def _numbers(word: str, plan: Any, clip: str) -> list[int]:
    """The turns of "3", "4-9", "voice:1"."""
    from facedouble.plan.typed import numbers_of

    if word.startswith("voice:"):
        which = numbers_of(word.removeprefix("voice:"))
        found = [n for n, turn in plan.turns(clip) if turn.speaker in which]
        if not found:
            raise UsageError(f"{plain(word)}: no turn of clip {clip} is of that voice; `facedouble plan voices` lists them")
        return found
    return numbers_of(word)


def bleep(
    plan: PlanPath,
    start: Annotated[str, typer.Argument(metavar="FROM", help="where the word begins: 4.8, or 00:00:04.800")],
    stop: Annotated[str, typer.Argument(metavar="TO", help="where it ends; left out with --remove")] = "",
    clip: ClipName = "",
    sound: Annotated[str, typer.Option(help="tone or silence")] = "tone",
    by: By = "",
    reason: Annotated[str, typer.Option(help="and why; never the word itself")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="take away the bleep that begins there")] = False,
) -> None:
    """Take a name or a place out: it is not heard, and no lips are seen that say it."""
    from facedouble.pipeline.film import Home
    from facedouble.plan import edit, typed
    from facedouble.plan.read import read
    from facedouble.plan.rules import Wrong
    from facedouble.plan.times import clock
    from facedouble.plan.voices import Bleep

    entry = typed.clip_of(read(Home(plan).text()), clip)
    a = typed.moment_of(start, entry)
    if remove:
        change(plan, lambda text: edit.drop_bleep(text, entry.id, a), f"no bleep at {clock(a)} of clip {entry.id}")
        return
    if not stop or not by.strip():
        raise UsageError("a bleep needs its end and who wants it: facedouble plan bleep film.plan.toml 4.8 5.2 --by Lin")
    try:
        made = Bleep(entry.id, a, typed.moment_of(stop, entry), by, reason, sound)
    except Wrong as wrong:
        raise UsageError(str(wrong)) from wrong
    change(plan, lambda text: edit.add(text, made), f"bleep in clip {entry.id}, {clock(made.start)} to {clock(made.stop)}")


def ambience(
    plan: PlanPath,
    kind: Annotated[str, typer.Argument(help="new, clean or keep")],
    clip: Annotated[str, typer.Option(help="only in that clip")] = "",
    by: By = "",
    reason: Reason = "",
) -> None:
    """Say what lies behind the speech: a new room tone, the sound of the place cleaned, or as it is."""
    from facedouble.plan import edit
    from facedouble.plan.rules import Wrong
    from facedouble.plan.voices import Ambience

    try:
        said = Ambience(kind, by, reason)
    except Wrong as wrong:
        raise UsageError(str(wrong).replace("ambience_", "--").replace(' = "…" to it', "")) from wrong
    change(plan, lambda text: edit.ambience(text, said, clip or None), f"ambience {kind}" + (f" in clip {clip}" if clip else ""))


def voices(plan: PlanPath, clip: Annotated[str, typer.Option(help="only that clip")] = "") -> None:
    """List who speaks when, whose turn it is, what becomes of it, and what to listen to."""
    from facedouble.pipeline.film import Home
    from facedouble.plan import typed
    from facedouble.plan.read import read

    held = read(Home(plan).text())
    for entry in [typed.clip_of(held, clip)] if clip else held.clips:
        behind = held.behind(entry.id)
        OUT.print(f"clip {entry.id}: {len(held.turns(entry.id))} turns, ambience {'new' if behind is None else behind.kind}",
                  markup=False)
        for number, said in held.turns(entry.id):
            OUT.print(turn_line(held, number, said), markup=False)
    undecided_turns(held)


def turn_line(plan: Any, number: int, said: Any) -> str:
    """One turn of the table."""
    from facedouble.plan.times import clock

    gets = plan.voicing(said)
    who = said.person or "nobody's yet"
    heard = f" voice:{said.speaker}" if said.speaker >= 0 else ""
    why = f" ({plain(gets.by)}: {plain(gets.reason)})" if gets.voice == "keep" else ""
    flags = f"; listen: {', '.join(map(plain, said.flags))}" if said.flags else ""
    return f"  {number}. {clock(said.start)} to {clock(said.stop)} {who}{heard}: {plain(gets.said)}{why}{flags}"


def undecided_turns(plan: Any) -> None:
    """Say how many turns are nobody's."""
    for clip in plan.clips:
        open_ = [number for number, said in plan.turns(clip.id) if not said.person and said.voicing is None]
        if open_:
            few = ", ".join(map(str, open_[:12])) + (", …" if len(open_) > 12 else "")
            OUT.print(f"clip {clip.id}: {len(open_)} turns are nobody's, and muted: {few}", markup=False)


def told(plan: Any) -> None:
    """What `plan check` says of the sound: everything that is let through, and what is undecided."""
    from facedouble.plan.times import clock

    for clip in plan.clips:
        for number, said in plan.turns(clip.id):
            if plan.voicing(said).voice == "keep":
                OUT.print(f"clip {clip.id}, the real voice is heard:{turn_line(plan, number, said)[1:]}", markup=False)
        behind = plan.behind(clip.id)
        if behind is not None and behind.kind != "new":
            why = f" ({plain(behind.by)}: {plain(behind.reason)})" if behind.kind == "keep" else ""
            OUT.print(f"clip {clip.id}: the sound of the place is heard where nobody speaks, {behind.kind}{why}", markup=False)
        for bleep in plan.bleeps:
            if bleep.clip == clip.id:
                OUT.print(f"clip {clip.id}, bleep {clock(bleep.start)} to {clock(bleep.stop)}", markup=False)
    undecided_turns(plan)
    shared_voices(plan)


def shared_voices(plan: Any) -> None:
    """Say which doubles' voices speak for more than one person."""
    speaks: dict[str, set[str]] = {}
    for clip in plan.clips:
        for _, said in plan.turns(clip.id):
            gets = plan.voicing(said)
            if gets.voice == "double" and said.person:
                speaks.setdefault(gets.of or "", set()).add(said.person)
    for name, who in sorted(speaks.items()):
        _one_for_several(name, who)


def _one_for_several(name: str, who: Any) -> None:
    if len(who) > 1:
        OUT.print(f"voice {plain(name)} speaks for {', '.join(sorted(map(plain, who)))}: who knows one of them by something else "
                  "knows more of the others; give each a volunteer of their own", markup=False)


def came_of(clip: str, report: Any) -> None:
    """What `render` says of the sound of a clip."""
    said = report.facts.get("sound")
    if said is None or not said["turns"]:
        return
    took = said["seconds"]
    lasts = ", ".join(f"{kind} {took[kind]:.1f} s" for kind in ("double", "revoice", "keep") if kind in took)
    OUT.print(f"  sound: {len(said['turns'])} turns; {lasts or 'nobody is heard'}; ambience {said['ambience']}", markup=False)
    if said["guarded"]:
        OUT.print(f"  not heard of kept turns, because another voice touches them: {_spans(said['guarded'])}; listen, and if a "
                  "word is lost, set the border in a plan", markup=False)
    muted = [(turn["from"], turn["to"]) for turn in said["turns"] if turn["voice"] == "mute"]
    if muted and len(muted) < len(said["turns"]):
        OUT.print(f"  muted: {_spans(muted)}", markup=False)
    for found in said["likenesses"]:
        if found["voice"] == "revoice" and found["verdict"] == "refused":
            OUT.print(f"  the takes for {plain(found['whom'])} sound like them (likeness {found['likeness']:.2f}): make sure "
                      "that a volunteer spoke them, or ask another one", markup=False)
    for name, who in said["shared"].items():
        _one_for_several(name, who)
    for turn in [t for t in said["turns"] if t["flags"] and t["voice"] != "mute"][:12]:
        flags = ", ".join(map(plain, turn["flags"]))
        OUT.print(f"  listen to {f'clip {clip}, ' if clip else ''}{turn['from']} to {turn['to']}: {flags}", markup=False)


def _spans(spans: Sequence[Sequence[str]]) -> str:
    """The first of them, in words."""
    return ", ".join(f"{a} to {b}" for a, b in spans[:12]) + f" and {len(spans) - 12} more" * (len(spans) > 12)


def _voicing(said: str, by: str, reason: str) -> Any:
    from facedouble.plan.rules import Wrong
    from facedouble.plan.voices import Voicing

    try:
        return Voicing.of_words(said, by, reason)
    except Wrong as wrong:
        raise UsageError(f"{wrong}, with --reason and --by" if "real voice" in str(wrong) else str(wrong)) from wrong


def add_to(app: typer.Typer) -> None:
    """The commands of this file."""
    example = "Example: facedouble plan"
    app.command("add-voice", epilog=f"{example} add-voice film.plan.toml noor noor.fvoice")(add_voice)
    app.command("voice", epilog=f'{example} voice film.plan.toml P1 "double noor" --by Lin')(voice)
    app.command("turn", epilog=f"{example} turn film.plan.toml A 3 P2")(turn)
    app.command("bleep", epilog=f"{example} bleep film.plan.toml 00:00:04.800 00:00:05.200 --by Lin")(bleep)
    app.command("ambience", epilog=f"{example} ambience film.plan.toml clean --by Lin")(ambience)
    app.command("voices", epilog=f"{example} voices film.plan.toml")(voices)
