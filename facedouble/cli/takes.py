"""`facedouble voice cues` and `facedouble voice take`: what a volunteer speaks, and the recording of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facedouble import disk
from facedouble.cli.shown import OUT
from facedouble.errors import InputRefused, UsageError

SHEETS = (".html", ".tsv")


def cues(
    source: Annotated[Path, typer.Argument(help="the witness's clip or sound; or subtitles (.srt, .vtt) alone")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the sheet: .html to print, .tsv for a table; has to be new")],
    subtitles: Annotated[Path | None, typer.Option(help="SRT or VTT with the words")] = None,
) -> None:
    """Print the lines that a volunteer has to speak: number, time, length, words."""
    from facedouble.publish import write_new
    from facedouble.voice.cues import of_sound, of_subtitles, page, table, with_text

    if output.suffix.lower() not in SHEETS:
        raise UsageError(f"{output}: name the sheet .html or .tsv")
    if source.suffix.lower() in (".srt", ".vtt"):
        found = of_subtitles(_text(source))
    else:
        import soxr

        from facedouble.media.takes import read_sound
        from facedouble.pipeline.protect import close_doors
        from facedouble.voice.code import SPEECH_RATE

        close_doors()
        sound, rate = read_sound(source)
        found = of_sound(sound if rate == SPEECH_RATE else soxr.resample(sound, rate, SPEECH_RATE))
        if subtitles is not None:
            found = with_text(found, of_subtitles(_text(subtitles)))
    if not found:
        raise InputRefused(f"{source}: nobody is heard to speak in it")
    write_new(output, (page if output.suffix.lower() == ".html" else table)(found).encode())
    OUT.print(f"{output}: {len(found)} lines to speak, {sum(c.stop - c.start for c in found):.0f} s", markup=False)


def _text(path: Path) -> str:
    try:
        return disk.read_text(path, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path}: cannot be read as text; save it as UTF-8") from error


def take(
    recording: Annotated[Path | None, typer.Argument(help="a volunteer's recording: WAV, FLAC, MP3, M4A, …")] = None,
    turn: Annotated[int, typer.Option(min=1, max=999, help="the number of the line on the cue sheet")] = 1,
    folder: Annotated[Path, typer.Option(help="where takes lie")] = Path("takes"),
    record_for: Annotated[float, typer.Option("--record", min=0.0, max=600.0, help="record so many s; Ctrl-C ends it")] = 0.0,
) -> None:
    """Import a take, or record one, as WAV of 48 kHz, mono, 24 bit, without anything else that the file held."""
    from facedouble.media.takes import read_sound, record, write_take
    from facedouble.pipeline.protect import close_doors
    from facedouble.voice.revoice import check

    if (recording is None) == (record_for == 0):
        raise UsageError("give the file of a recording, or --record SECONDS")
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
    app.command("cues", epilog="Example: facedouble voice cues interview.mp4 -o cues.html --subtitles interview.srt")(cues)
    app.command("take", epilog="Example: facedouble voice take ana1.m4a --turn 1")(take)
