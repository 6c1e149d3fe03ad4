"""Films with speech for the trial: shared recordings laid under a small picture, with every turn known, and protected.

    .venv/bin/python -m bench.mutate.sound_films FOLDER VOICE.fvoice    makes all of them that are not there yet
    .venv/bin/python -m bench.mutate.sound_films FOLDER VOICE.fvoice held-out    the same, of the others

The listening is told who speaks when, so that what is tried is the audit. FOLDER/NAME/{NAME.mkv, film.plan.toml, out/A.mp4,
words.txt}; the words are said by nobody who is heard.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import soxr

from facedouble.media.recording import blocks, recording
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.film import Home, look_at
from facedouble.pipeline.screening import Screening, render_film
from facedouble.plan import edit
from facedouble.plan.voices import Ambience, Bleep, VoiceFile, Voicing
from facedouble.types import Array, Floats, Turn

SPEECH: Final = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "speech"
FPS: Final = 5
PAUSE: Final = 0.8  # s between turns
RATE: Final = 16_000


@dataclass(frozen=True)
class Made:
    """A film: recordings in order, each with the number of who speaks; what becomes of each speaker, and of what lies behind.

    bleeps: (turn from 0, from, to in s of it, "tone" or "silence"); words: what must not be heard; noise: rms of the place.
    streams: of sound; the second hears the same from afar, with noise of its own.
    """

    name: str
    turns: tuple[tuple[str, int], ...]
    voices: Mapping[int, str]
    ambience: str = "new"
    bleeps: tuple[tuple[int, float, float, str], ...] = ()
    words: tuple[str, ...] = ()
    rate: int = 48_000
    channels: int = 1
    streams: int = 1
    noise: float = 1e-3


def _so(person: str, *numbers: int, who: int = 0) -> tuple[tuple[str, int], ...]:
    return tuple((f"so762_{person}_{n:09d}.wav", who) for n in numbers)


def _ls(chapter: str, *numbers: int, who: int = 0) -> tuple[tuple[str, int], ...]:
    return tuple((f"ls-other_{chapter}-{n:04d}.flac", who) for n in numbers)


def _clean(chapter: str, who: int = 0) -> tuple[tuple[str, int], ...]:
    return ((f"ls-clean_{chapter}-0000.flac", who),)


def _train(chapter: str, who: int = 0) -> tuple[tuple[str, int], ...]:
    return ((f"../speech_train/libri_{chapter}-0000.flac", who),)


def _mixed(*several: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(turn for row in zip(*several, strict=True) for turn in row)


DOUBLE, MUTE, KEEP = "double lj", "mute", "keep"
FILMS: Final = (
    Made("one", _so("0036", 360034, 360223, 360264), {0: DOUBLE}, rate=16_000),
    Made("reader", _ls("1688-142285", 2, 4, 5, 8), {0: DOUBLE}, "clean", channels=2, noise=3e-3),
    Made("place", _ls("367-130732", 1, 4, 8, 9), {0: DOUBLE}, "keep", channels=2, noise=3e-3),
    Made("two", _mixed(_ls("1998-15444", 1, 3, 6), _ls("2033-164914", 1, 3, 4, who=1)), {0: DOUBLE, 1: KEEP}),
    Made("bleeped", _ls("2033-164914", 5, 3, 4), {0: DOUBLE}, bleeps=((0, 2.0, 2.9, "tone"), (1, 1.0, 1.45, "silence"),
         (2, 0.4, 0.85, "tone")), words=("London", "Robert"), channels=2),
    Made("muted", _mixed(_so("0560", 5600129, 5600154), _so("0813", 8130081, 8130091, who=1)), {0: MUTE, 1: DOUBLE},
         words=("London", "Robert")),
    Made("silent", _so("1064", 10640005, 10640017, 10640036), {0: MUTE}, "", words=("Robert",), rate=44_100),
    Made("wild", _so("2059", 20590026, 20590077, 20590276), {0: DOUBLE}, streams=2),
    Made("three", _mixed(_so("1029", 10290066, 10290152), _so("2022", 20220021, 20220023, who=1),
                         _ls("3080-5032", 0, 3, who=2)), {0: DOUBLE, 1: MUTE, 2: KEEP}, "keep", channels=2),
    Made("late", _ls("3080-5032", 1, 4, 5), {0: DOUBLE}, bleeps=((0, 3.0, 3.6, "tone"),), rate=44_100),
    Made("quiet", _so("1372", 13720051, 13720189, 13720274), {0: DOUBLE}, "clean", noise=2e-4),
    Made("revoiced", _so("0135", 1350124, 1350180), {0: "revoice takes"}, channels=2),
    Made("held_one", _so("0482", 4820015, 4820114, 4820265), {0: DOUBLE}, rate=16_000),
    Made("held_reader", (*_clean("1263-138246"), *_clean("1963-142393", who=1)), {0: DOUBLE, 1: KEEP}, "keep", channels=2),
    Made("held_bleeped", _so("0594", 5940174, 5940318, 5940380), {0: DOUBLE}, bleeps=((0, 1.2, 1.9, "tone"),
         (1, 1.0, 1.5, "silence"), (2, 0.8, 1.3, "tone")), words=("London", "Robert"), channels=2),
    Made("held_muted", _mixed(_so("0739", 7390070, 7390195), _so("1012", 10120059, 10120071, who=1)), {0: MUTE, 1: DOUBLE},
         words=("London", "Robert"), noise=2e-3),
    Made("held_stereo", (*_clean("196-122150"), *_clean("118-121721", who=1)), {0: DOUBLE, 1: DOUBLE}, "clean", channels=2,
         noise=3e-3),
    Made("held_three", _mixed(_so("2036", 20360055, 20360131), _so("1033", 10330129, 10330139, who=1),
                              _so("1362", 13620030, 13620108, who=2)), {0: KEEP, 1: DOUBLE, 2: MUTE}, rate=44_100),
    Made("held_silent", _so("0960", 9600113, 9600118, 9600335), {0: MUTE}, "", words=("Robert",)),
    Made("held_revoiced", _so("1260", 12600017, 12600082), {0: "revoice takes"}, streams=2),
)
"""Those that limits were set on, or that led to one since."""
HELD_OUT: Final = (
    Made("new_one", _so("0575", 5750059, 5750089, 5750099), {0: DOUBLE}, rate=16_000),
    Made("new_reader", (*_train("103-1240"), *_train("1040-133433", who=1)), {0: DOUBLE, 1: KEEP}, "keep", channels=2,
         noise=3e-3),
    Made("new_bleeped", _so("1027", 10270268, 10270306, 10270366), {0: DOUBLE}, bleeps=((0, 1.0, 1.7, "tone"),
         (1, 1.2, 1.7, "silence"), (2, 0.9, 1.4, "tone")), words=("London", "Robert"), channels=2),
    Made("new_muted", (*_clean("1088-129236"), *_train("1069-133699", who=1)), {0: MUTE, 1: DOUBLE}, words=("London", "Robert"),
         noise=2e-3),
    Made("new_stereo", (*_clean("1034-121119"), *_clean("2007-132570", who=1)), {0: DOUBLE, 1: DOUBLE}, "clean", channels=2,
         noise=3e-3),
    Made("new_three", (*_clean("1355-39947"), *_clean("2159-179154", who=1), *_train("1098-133695", who=2)),
         {0: KEEP, 1: DOUBLE, 2: MUTE}, rate=44_100),
    Made("new_silent", _train("1116-132847"), {0: MUTE}, "", words=("Robert",)),
    Made("new_revoiced", (*_so("0135", 1350194), *_so("1260", 12600210, who=1)), {0: "revoice takes", 1: "revoice takes"},
         streams=2),
)
"""Those at which nobody looked when limits were set; once a fault in one led to a limit, it belongs to the others."""


def read(path: Path, rate: int) -> Floats:
    """A recording, (N,)."""
    source = recording(path)
    sound = np.concatenate([block.mean(1) for block in blocks(source)])
    return np.asarray(soxr.resample(sound, source.rate, rate), np.float32)


def compose(film: Made, path: Path) -> tuple[Turn, ...]:
    """Write the film; who speaks when, in samples at RATE."""
    rng, turns, parts, at = np.random.default_rng(abs(sum(map(ord, film.name)))), [], [], PAUSE
    for file, who in film.turns:
        said = read(SPEECH / file, film.rate)
        parts.append((at, said * np.float32(0.05 / np.sqrt(np.mean(said**2)))))
        turns.append(Turn(round(at * RATE), round((at + len(said) / film.rate) * RATE), who, None, ()))
        at += len(said) / film.rate + PAUSE
    count = int(np.ceil(at * FPS))
    length = count * film.rate // FPS
    dry = np.zeros(length, np.float32)
    for start, said in parts:
        dry[round(start * film.rate):][:len(said)] += said
    sounds = []
    for k in range(film.streams):
        shape = np.convolve(rng.standard_normal((length, film.channels)).ravel(), np.ones(4) / 2, "same")
        place = film.noise * shape.reshape(length, film.channels)
        gains = np.linspace(1, 0.7, film.channels) * (0.4 if k else 1)
        heard = np.convolve(dry, [0, 0, 0.6, 0.3, 0, 0.2], "full")[:length] if k else dry
        sounds.append(np.clip(heard[:, None] * gains + place, -1, 1).astype(np.float32))
    _write(path, count, film.rate, sounds)
    return tuple(turns)


def _write(path: Path, count: int, rate: int, sounds: Sequence[Floats]) -> None:
    with av.open(str(path), "w") as box:
        video: Any = box.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        tracks: list[Any] = [box.add_stream("flac", rate=rate) for _ in sounds]
        for track, sound in zip(tracks, sounds, strict=True):
            track.codec_context.layout = {1: "mono", 2: "stereo"}[sound.shape[1]]
            track.codec_context.format = "s16"
        for i in range(count):
            picture: Array = np.full((96, 160, 3), 60, np.uint8)
            picture[40:50, i * 3 % 150:i * 3 % 150 + 10] = (200, 190, 40)
            box.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            for track, sound in zip(tracks, sounds, strict=True):
                part = sound[i * rate // FPS:(i + 1) * rate // FPS]
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray((part * 32767).astype(np.int16).reshape(1, -1)),
                                                   format="s16", layout=track.codec_context.layout)
                frame.sample_rate, frame.pts, frame.time_base = rate, i * rate // FPS, Fraction(1, rate)
                box.mux(track.encode(frame))
        for track in (video, *tracks):
            box.mux(track.encode(None))


def protect(film: Made, folder: Path, voice: Path) -> None:
    """Compose a film, plan its sound, and render it."""
    folder.mkdir(parents=True)
    source = folder / f"{film.name}.mkv"
    turns = compose(film, source)
    home = Home(folder / "film.plan.toml")

    def told(made: Analysis, people: Mapping[int, int]) -> Sequence[Turn]:
        return turns

    look_at([source], home, Options(), hear=told)
    text = edit.add(home.text(), VoiceFile("lj", str(voice.resolve())))
    for who, said in film.voices.items():
        numbers = [k for k, turn in enumerate(turns, 1) if turn.voice == who]
        kept = ("bench", "bench") if said == KEEP else ("", "")
        text = edit.turns(text, "A", numbers, own=Voicing.of_words(said, *kept))
    for turn, start, stop, sound in film.bleeps:
        begin = turns[turn].start * 1000 // RATE
        text = edit.add(text, Bleep("A", begin + round(start * 1000), begin + round(stop * 1000), "bench", "", sound))
    if film.ambience:
        text = edit.ambience(text, Ambience(film.ambience, "bench", "bench" if film.ambience == "keep" else ""))
    home.put(text)
    if any(said.startswith("revoice") for said in film.voices.values()):
        _takes(film, folder / "takes")
    render_film(Screening(home, folder / "out", "test", dt.date(2026, 11, 22)), Options())
    if film.words:
        (folder / "out" / "words.txt").write_text("\n".join(film.words))


def _takes(film: Made, folder: Path) -> None:
    """Each turn's words by espeak-ng."""
    folder.mkdir()
    rows = (line.split("\t") for line in (SPEECH.parent / "SOURCES.tsv").read_text().splitlines())
    texts = {row[0]: row[7].lower() for row in rows}
    for k, (file, _) in enumerate(film.turns, 1):
        text = texts[f"speech/{file}"]
        out = folder / f"A-{k}.wav"
        subprocess.run([str(shutil.which("espeak-ng")), "-v", "en-us+f3", "-w", str(out), text], check=True)


def main() -> None:
    """Make the films."""
    folder, voice = Path(sys.argv[1]), Path(sys.argv[2])
    for film in HELD_OUT if sys.argv[3:4] == ["held-out"] else FILMS:
        if (folder / film.name / "out" / "A.report.json").exists():
            continue
        shutil.rmtree(folder / film.name, ignore_errors=True)
        protect(film, folder / film.name, voice)
        print(film.name, flush=True)


if __name__ == "__main__":
    main()
