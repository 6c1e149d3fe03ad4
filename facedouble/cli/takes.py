"""`facedouble voice cues` and `facedouble voice take`: what a volunteer speaks, and the recording of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facedouble import disk
from facedouble.cli.shown import OUT
from facedouble.errors import InputRefused, UsageError

if TYPE_CHECKING:
    from facedouble.voice.cues import Cue

SHEETS = (".html", ".tsv")


def cues(
    source: Annotated[Path, typer.Argument(help="the film's plan; before there is one: a clip, its sound, or subtitles alone")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the sheet: .html to print, .tsv for a table; has to be new")],
    subtitles: Annotated[Path | None, typer.Option(help="SRT or VTT with the words")] = None,
    clip: Annotated[str, typer.Option(help="of a plan: the clip's letter; may be left out if there is one only")] = "",
    person: Annotated[str, typer.Option(help="of a plan: only the turns of that person, as P1")] = "",
) -> None:
    """Print the lines that a volunteer has to speak: number, time, length, words. Takes are asked for by a plan's numbers."""
    from facedouble.publish import write_new
    from facedouble.voice.cues import beside, of_subtitles, page, table, with_text

    if output.suffix.lower() not in SHEETS:
        raise UsageError(f"{output}: name the sheet .html or .tsv")
    planned = source.suffix.lower() == ".toml"
    if (clip or person) and not planned:
        raise UsageError("--clip and --person are of a plan: give film.plan.toml instead of the clip")
    words = None if subtitles is None else of_subtitles(_text(subtitles))
    if planned:
        found, left = _of_plan(source, clip, person, words)
    elif source.suffix.lower() in (".srt", ".vtt"):
        found, left = of_subtitles(_text(source)), 0
    else:
        found = _of_sound(source)
        left = len(beside(found, words or ()))
        found = with_text(found, words or ())
    if not found:
        raise InputRefused(f"{source}: nobody is heard to speak in it" + (f" as {person}" if person else ""))
    write_new(output, (page if output.suffix.lower() == ".html" else table)(found).encode())
    OUT.print(f"{output}: {len(found)} lines to speak, {sum(c.stop - c.start for c in found):.0f} s", markup=False)
    if left:
        OUT.print(f"  {left} subtitles are not on it: nobody was heard to speak where they are", markup=False)


def _of_plan(path: Path, clip: str, person: str, words: Sequence[Cue] | None) -> tuple[tuple[Cue, ...], int]:
    """The turns that are to be spoken anew, or all, if nobody's are yet; and how many subtitles belong to no turn at all."""
    from facedouble.pipeline.film import Home
    from facedouble.plan import typed
    from facedouble.plan.read import read
    from facedouble.voice.cues import beside, of_turns, with_text

    plan = read(Home(path).text())
    entry = typed.clip_of(plan, clip)
    if person and person not in {p.id for p in plan.people}:
        raise UsageError(f"there is no {person} in {path}; `facedouble people` lists who is there")
    turns = plan.turns(entry.id)
    mine = [(number, turn) for number, turn in turns if person in ("", turn.person)]
    anew = [(number, turn) for number, turn in mine if plan.voicing(turn).voice == "revoice"]
    wanted = {number for number, _ in anew or mine}
    every = of_turns((number, turn.start, turn.stop) for number, turn in turns)
    return (tuple(c for c in with_text(every, words or ()) if c.number in wanted), len(beside(every, words or ())))


def _of_sound(path: Path) -> tuple[Cue, ...]:
    """The lines between pauses, as they are heard; times from the first picture on, if there are pictures."""
    from facedouble.media.recording import recording
    from facedouble.pipeline.protect import close_doors
    from facedouble.pipeline.voices import mono
    from facedouble.voice.code import SPEECH_RATE
    from facedouble.voice.cues import of_sound

    close_doors()
    source = recording(path)
    return of_sound(mono(source, SPEECH_RATE), source.late)


def _text(path: Path) -> str:
    try:
        return disk.read_text(path, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path}: cannot be read as text; save it as UTF-8") from error


def take(
    recording: Annotated[Path | None, typer.Argument(help="a volunteer's recording: WAV, FLAC, MP3, M4A, …")] = None,
    turn: Annotated[int | None, typer.Option(min=1, max=999, help="the number of the turn in the plan, as on a cue sheet of the "
                                             "plan, or as `facedouble plan voices` lists it; has to be given")] = None,
    folder: Annotated[Path, typer.Option(help="where takes lie")] = Path("takes"),
    record_for: Annotated[float, typer.Option("--record", min=0.0, max=600.0, help="record so many s; Ctrl-C ends it")] = 0.0,
) -> None:
    """Import a take, or record one, as WAV of 48 kHz, mono, 24 bit, without anything else that the file held."""
    from facedouble.media.takes import read_sound, record, write_take
    from facedouble.pipeline.protect import close_doors
    from facedouble.voice.revoice import check

    if (recording is None) == (record_for == 0):
        raise UsageError("give the file of a recording, or --record SECONDS")
    if turn is None:
        raise UsageError("say which turn of the plan this take is for, as --turn 3; `facedouble plan voices` lists them")
    close_doors()
    if recording is not None:
        sound, rate = read_sound(recording)
    else:
        sound, rate = record(record_for)
    check(sound, rate)
    disk.make_folder(folder)
    number = 1 + max((int(p.stem[-2:]) for p in disk.found(folder, f"turn-{turn:03d}.take-[0-9][0-9].wav")), default=0)
    if number > 99:
        raise UsageError(f"{folder}: holds 99 takes of this line; move some away")
    path = folder / f"turn-{turn:03d}.take-{number:02d}.wav"
    write_take(path, sound, rate)
    OUT.print(f"{path}: {len(sound) / rate:.1f} s", markup=False)


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("cues", epilog="Example: facedouble voice cues film.plan.toml -o cues.html --subtitles interview.srt")(cues)
    app.command("take", epilog="Example: facedouble voice take ana1.m4a --turn 1")(take)
