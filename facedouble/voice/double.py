"""The voice double by conversion: `listen` to the witness, `speak` with the volunteer's voice.

What is said comes from a recogniser's encoder, drawn towards what many readers have in common; the melody and the loudness come
from the witness. The volunteer's spectral envelope is predicted by a network (`trunk.py`), corrected by a readout fitted to the
volunteer in one step, and given back the detail that any average loses: the difference between real and predicted speech, from
the volunteer's own speech where it is most alike. WORLD turns it into sound. With the code fixed, the witness's recording can be
replaced by anything: no sample changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr
from scipy.ndimage import binary_closing, binary_opening, gaussian_filter1d

from facedouble.types import Bools, Floats, Value
from facedouble.voice.code import HOP, SPEECH_RATE, UNIT, SpeechCode
from facedouble.voice.trunk import FRAMES, SPEECH_BELOW, Trunk, loudness
from facedouble.voice.volunteer import VoiceDouble
from facedouble.voice.world import COEFFICIENTS, HIGHEST, LOWEST, Sound, melody, put_together, rough_melody, take_apart

Content = Callable[[Floats], Floats]

UNITS_A_MINUTE: Final = 60 * SPEECH_RATE // UNIT
NEIGHBOURS: Final = 16
SOFT: Final = 0.3  # how fast the weight of a neighbour falls with its distance
DETAIL: Final = 0.9  # share of the neighbours' detail that is given back, where there is plenty to choose from
VOICING_WEIGHT: Final = 0.3
COLOUR_UNITS: Final = 100  # as many units without any are mixed into the colour that is taken off
KEY: Final = 26  # coefficients that neighbours are found by
BESIDE: Final = 0.7  # weight of the units before and after
SMOOTH: Final = 1.0  # frames
MELODY: Final = (0.7, 1.4)  # limits to which the melody's spread follows the volunteer's
GATE: Final = 45.0  # dB under the loudest speech: what is quieter sinks away,
OVER_FLOOR: Final = 5.0  # dB; and what is so little over the quietest tenth,
LEAST_GATE: Final = 25.0  # dB under the loudest speech, which the gate never comes nearer to
STEEP: Final = 5.0  # dB that it sinks for each dB
PAUSE: Final = 55.0  # dB under the loudest speech, which no pause is louder than. In a pause is
FLOOR_SHARE: Final = 0.12  # of the range from the quietest to the loudest, or OVER_FLOOR, what is over the quietest by less,
DEEP: Final = 38.0  # dB under the loudest speech at most,
STOP: Final = 30  # frames long or longer: a stop's closure is none
CLICK: Final = 7  # frames; what is loud for less is no speech
LEAST_RANGE: Final = 10.0  # dB from the quietest to the loudest: under it nobody can tell what a pause is
AROUND: Final = (6, 12)  # frames before and after speech in which a pause has not begun
RAMP: Final = 2.0  # frames, standard deviation
GAIN: Final = (-60.0, 40.0)  # dB
SLOW: Final = 40.0  # frames, standard deviation: how slowly the gain moves where somebody speaks
READ_BELOW: Final = 30.0  # dB under the 95th percentile: what the readout is fitted to, and where the gain moves slowly
OUTPUT_PENALTY: Final = 1.0  # of the ridge, in units: on the network's frames
THOUGHT_PENALTY: Final = (3000.0, 1000.0)  # and on its thoughts, for little speech and for plenty


@dataclass(frozen=True)
class Range(Value):
    """Where somebody's speech lies, over all that is known of it: what single stretches are measured against.

    content: (W,) what stays the same in what the encoder hears. sung, loud: as in a `SpeechCode`; sung is None where nothing is
    voiced.
    """

    content: Floats
    sung: tuple[float, float] | None
    loud: tuple[float, float]


def range_of(sound: Floats, content: Content, trunk: Trunk) -> Range:
    """Of (N,) samples of somebody's speech at 16 kHz, cut together; N > 0."""
    return _range(trunk.mean_of(content(sound)), rough_melody(sound), _loudness(sound))


def _range(mean: Floats, f0: Floats, energy: Floats) -> Range:
    log = np.log(f0[f0 > 0])
    low, high = np.percentile(energy, (90, 95))
    return Range(mean, (float(np.median(log)), float(log.std())) if len(log) else None, (float(low), float(high)))


def listen(sound: Floats, content: Content, trunk: Trunk, known: Range | None = None) -> SpeechCode:
    """What passes from (N,) samples of the witness at 16 kHz; N > 0. known: of more that they say; else of these alone."""
    heard, f0, energy = content(sound), melody(sound), _loudness(sound)
    own = _range(trunk.mean_of(heard), f0, energy)
    of = own if known is None else known
    return SpeechCode(trunk.reduced(heard, of.content), f0, energy, len(sound), of.sung or own.sung or (0.0, 0.0), of.loud)


def speak(code: SpeechCode, voice: VoiceDouble, trunk: Trunk) -> Floats:
    """The code with the volunteer's voice: float32 at `voice.rate`, as long as the code to the sample."""
    held = voice.arrays
    said = _adapted(held["readout"], *trunk.say(code, held["voice"]))
    detail, own = _nearest(said, code, held)
    said = said + DETAIL * _plenty(len(held["real"])) * detail - _colour(said - own, code)
    return _sounding(code, voice, gaussian_filter1d(said.reshape(len(code.f0), -1), SMOOTH, axis=0, mode="nearest"))


def without_words(code: SpeechCode, voice: VoiceDouble) -> Floats:
    """The code's melody and loudness over one spectrum: what can be told without any word, for those who audit."""
    still = voice.arrays["real"].astype(np.float32).mean((0, 1))
    return _sounding(code, voice, np.tile(still, (len(code.f0), 1)))


def _sounding(code: SpeechCode, voice: VoiceDouble, frames: Floats) -> Floats:
    size = COEFFICIENTS[voice.rate]
    made = Sound(frames[:, :size], frames[:, size:])
    whole = len(code.f0) * HOP * voice.rate // SPEECH_RATE
    sound = put_together(_melody(code, voice.arrays["f0"]), made, voice.rate, whole)
    return _levelled(sound, code, voice.rate)[:code.samples * voice.rate // SPEECH_RATE]


def _loudness(sound: Floats) -> Floats:
    return loudness(np.pad(sound, (0, -len(sound) % UNIT)))


def _adapted(readout: Floats, said: Floats, thoughts: Floats) -> Floats:
    """The volunteer's frames (U, 4, O) from the network's (U, 4, 51) and its thoughts (U, H)."""
    one = np.ones((len(thoughts), 1), np.float32)
    return np.stack([np.hstack([said[:, j], thoughts, one]) @ readout[j] for j in range(FRAMES)], 1)


def _plenty(units: int) -> float:
    """From 0, a minute of the volunteer's speech or less, to 1, four minutes or more."""
    return float(np.clip((units / UNITS_A_MINUTE - 1) / 3, 0, 1))


def _keys(frames: Floats, spread: Floats) -> Floats:
    """What units are compared by, (U, 3 (KEY - 1)): their mean frames in units of the spread, and their neighbours'."""
    mean = frames[:, :, 1:KEY].mean(1) / spread[1:KEY]
    beside = np.pad(mean, ((1, 1), (0, 0)), mode="edge")
    return np.hstack([BESIDE * beside[:-2], mean, BESIDE * beside[2:]])


def _colour(over: Floats, code: SpeechCode) -> Floats:
    """What stays the same in `over` (U, 4, O), where somebody speaks: (O,), of the coefficients that neighbours are found by.

    over: what was said has over the volunteer's speech that is most like it. Sound by sound that is the words', and its mean is
    what the witness's voice did to what the encoder heard. Of a short stretch less is taken, for there it is the words' as well.
    """
    speech = code.energy.reshape(-1, FRAMES).mean(1) > code.loud[1] - SPEECH_BELOW
    mean = np.zeros(over.shape[2], np.float32)
    mean[1:KEY] = over[speech, :, 1:KEY].mean(1).sum(0) / (speech.sum() + COLOUR_UNITS)
    return mean


def _nearest(said: Floats, code: SpeechCode, held: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Where the volunteer's predictions are most like this one: what real speech has over them, and they, (U, 4, O) each."""
    spread, predicted = held["spread"], held["predicted"].astype(np.float32)
    asked, known = _keys(said, spread), _keys(predicted, spread)
    voiced = (code.f0 > 0).reshape(-1, FRAMES).mean(1)
    rest = held["real"].astype(np.float32) - predicted
    found, own = np.empty_like(said), np.empty_like(said)
    for at in range(0, len(said), 256):  # so that the table of distances stays small
        q = asked[at:at + 256]
        far = ((q ** 2).sum(1)[:, None] + (known ** 2).sum(1) - 2 * q @ known.T) / q.shape[1]
        far += VOICING_WEIGHT * np.abs(voiced[at:at + 256, None] - held["voicing"])
        count = min(NEIGHBOURS, len(known))
        near = np.argpartition(far, count - 1, axis=1)[:, :count]
        lengths = np.take_along_axis(far, near, 1)
        weights = np.exp((lengths.min(1, keepdims=True) - lengths) / SOFT)
        weights /= weights.sum(1, keepdims=True)
        found[at:at + 256] = (weights[:, :, None, None] * rest[near]).sum(1)
        own[at:at + 256] = (weights[:, :, None, None] * predicted[near]).sum(1)
    return found, own


def _melody(code: SpeechCode, sung: Floats) -> Floats:
    """The melody, its person's middle moved to the volunteer's, their spread brought to the volunteer's within limits."""
    f0, (middle, spread) = code.f0, code.sung
    log = np.log(np.where(f0 > 0, f0, 1)) - middle
    moved = np.exp(sung[0] + log * np.clip(sung[1] / max(spread, 0.05), *MELODY))
    return np.where(f0 > 0, np.clip(moved, LOWEST, HIGHEST), 0).astype(np.float32)


def _wanted(energy: Floats, top: float) -> Floats:
    """The loudness to be heard: the witness's, sinking away where nobody speaks."""
    gate = max(top - GATE, min(float(np.percentile(energy, 10)) + OVER_FLOOR, top - LEAST_GATE))
    return np.asarray(np.where(energy < gate, gate + STEEP * (energy - gate), energy), np.float32)


def _levelled(sound: Floats, code: SpeechCode, rate: int) -> Floats:
    """The sound as loud as the witness from phrase to phrase; from sound to sound it is as loud as the volunteer makes it.

    How loud each sound of theirs stands beside the others tells whose mouth, room and microphone it was (bench/RESULTS.md). Their
    pauses are quiet, whatever is heard in them: else the volunteer breathes in each as loudly as the place was noisy.
    """
    top, own = code.loud[1], loudness(sound, rate)
    spoken = code.energy > top - READ_BELOW
    exact = _wanted(code.energy, top) - own
    slow = gaussian_filter1d(exact * spoken, SLOW) / np.maximum(gaussian_filter1d(spoken.astype(np.float32), SLOW), 1e-3)
    gain = np.where(spoken, slow, np.minimum(exact, slow))
    gain += _shut(_quiet(code.energy, top)) * (np.minimum(gain, top - PAUSE - own) - gain)
    at = np.arange(len(sound)) * SPEECH_RATE / (HOP * rate)
    return (sound * 10 ** (np.interp(at, np.arange(len(gain)), np.clip(gain, *GAIN)) / 20)).astype(np.float32)


def _quiet(energy: Floats, top: float) -> Bools:
    """(F,) where for some time nothing is heard but what is always there."""
    floor = float(np.percentile(energy, 5))
    if top - floor < LEAST_RANGE:
        return np.zeros(len(energy), bool)
    loud = energy > floor + np.clip(FLOOR_SHARE * (top - floor), OVER_FLOOR, max(top - DEEP - floor, OVER_FLOOR))
    speech = np.pad(binary_opening(loud, np.ones(CLICK, bool)), STOP)
    return ~binary_closing(speech, np.ones(STOP, bool))[STOP:-STOP]


def _shut(quiet: Bools) -> Floats:
    """How far the gate is shut, (F,): it closes some time after the speech, opens before it, and softly."""
    before, after = AROUND
    near = np.convolve(~quiet, np.ones(before + after + 1))[before:before + len(quiet)] > 0.5
    return gaussian_filter1d((~near).astype(np.float32), RAMP, mode="nearest")


def make(stretches: Sequence[Floats], rate: int, content: Content, trunk: Trunk) -> dict[str, Floats]:
    """What a volunteer's speech gives for a `VoiceDouble`, its voice prints apart.

    stretches: (N,) float32 each, at `rate` (a key of `COEFFICIENTS`), speech with little silence at the ends, of one voice.
    """
    heard = [_heard(sound, rate, content, trunk) for sound in stretches]
    voice = trunk.voice(np.concatenate([h.narrow for h in heard]), np.concatenate([h.code.energy for h in heard]))
    said, thoughts = (np.concatenate(each) for each in zip(*(trunk.say(h.code, voice) for h in heard), strict=True))
    real = np.concatenate([h.real for h in heard]).reshape(len(said), FRAMES, -1)
    energy = np.concatenate([h.code.energy for h in heard])
    f0 = np.concatenate([h.code.f0 for h in heard])
    speech = energy > np.percentile(energy, 95) - SPEECH_BELOW
    readout = _readout(said, thoughts, real, energy.reshape(-1, FRAMES).mean(1))
    return {"voice": voice, "readout": readout.astype(np.float16), "real": real.astype(np.float16),
            "predicted": _adapted(readout, said, thoughts).astype(np.float16),
            "voicing": (f0 > 0).reshape(-1, FRAMES).mean(1).astype(np.float32),
            "spread": real.reshape(len(energy), -1)[speech].std(0).astype(np.float32),
            "f0": np.array([np.median(np.log(f0[f0 > 0])), np.log(f0[f0 > 0]).std()], np.float32)}


@dataclass(frozen=True)
class _Heard(Value):
    """One stretch of the volunteer: its code, its frames at 16 kHz (the network's terms) and at the voice's rate."""

    code: SpeechCode
    narrow: Floats
    real: Floats


def _heard(sound: Floats, rate: int, content: Content, trunk: Trunk) -> _Heard:
    narrow = sound if rate == SPEECH_RATE else soxr.resample(sound, rate, SPEECH_RATE)
    narrow = narrow[:len(sound) * SPEECH_RATE // rate]
    code = listen(narrow, content, trunk)
    low = take_apart(narrow, code.f0, SPEECH_RATE)
    wide = low if rate == SPEECH_RATE else take_apart(sound[:len(narrow) * rate // SPEECH_RATE], code.f0, rate)
    return _Heard(code, low.envelope, np.hstack([wide.envelope, wide.noise]))


def _readout(said: Floats, thoughts: Floats, real: Floats, energy: Floats) -> Floats:
    """Ridge regression (4, I, O) from the network's frames and thoughts to the volunteer's frames, speech counting most."""
    one = np.ones((len(thoughts), 1), np.float32)
    weight = (energy > np.percentile(energy, 95) - READ_BELOW) + 0.05
    thought_penalty = np.interp(_plenty(len(said)), (0, 1), THOUGHT_PENALTY)
    fitted = []
    for j in range(FRAMES):
        known = np.hstack([said[:, j], thoughts, one]).astype(np.float64)
        scale = np.sqrt((known ** 2).mean(0))
        penalty = np.r_[np.full(said.shape[2], OUTPUT_PENALTY), np.full(thoughts.shape[1], thought_penalty), 1e-6]
        weighed = known * weight[:, None]
        normal = known.T @ weighed + np.diag(penalty * scale ** 2)
        fitted.append(np.linalg.solve(normal, weighed.T @ real[:, j]))
    return np.asarray(fitted, np.float32)
