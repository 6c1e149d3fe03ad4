"""The voice double whole, with the real models: what passes, what does not, and that nothing odd breaks it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soxr

from facedouble.audit.residual import residual
from facedouble.errors import ConsentError, InputRefused, ModelError
from facedouble.models.voicenet import DATA, NET, NUMBERS, load_net
from facedouble.pipeline.heard import open_voice
from facedouble.pipeline.speaking import RATE, Maker, open_content, open_trunk
from facedouble.types import Consent, Floats
from facedouble.voice import double
from facedouble.voice.code import HOP, SPEECH_RATE, SpeechCode
from facedouble.voice.double import listen, speak, without_words
from facedouble.voice.file import write_voice
from facedouble.voice.trunk import Trunk, loudness
from facedouble.voice.volunteer import VoiceDouble, named
from facedouble.voice.world import melody
from tests.voice.spoken import say
from tests.voice.voices import voice as numbers

WORDS = "We went over the bridge before it was light, my brother and I, and nobody saw us. In the morning they came to the house."
READING = ("The north wind and the sun were disputing which was stronger, when a traveller came along wrapped in a warm cloak. "
           "They agreed that the one who first succeeded in making the traveller take his cloak off should be held the stronger.")


@pytest.fixture(scope="module")
def volunteer() -> VoiceDouble:
    wide = soxr.resample(say(READING, voice="en+f3"), SPEECH_RATE, RATE)
    arrays = Maker()([wide[:len(wide) // 2], wide[len(wide) // 2:]])
    prints = np.ones((1, 4), np.float32)
    return named(Consent("V1", ("test",), "2026-01-01"), RATE, len(wide) / RATE, {**arrays, "prints": prints})


@pytest.fixture(scope="module")
def witness() -> Floats:
    return say(WORDS, voice="en+m2")


@pytest.fixture(scope="module")
def code(witness: Floats) -> SpeechCode:
    return listen(witness, open_content(), open_trunk())


def test_with_the_code_fixed_not_one_sample_depends_on_the_recording(witness: Floats, code: SpeechCode, volunteer: VoiceDouble,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    made = speak(code, volunteer, open_trunk())
    noise = np.random.default_rng(0).normal(0, 0.2, len(witness)).astype(np.float32)
    # the recording is replaced by noise, and with it whatever spectrum could be read from it; what the code holds stays
    monkeypatch.setattr(double, "melody", lambda sound: code.f0)
    monkeypatch.setattr(double, "loudness", lambda sound, *_: code.energy)
    again = listen(noise, lambda sound: np.zeros((len(code.content), 512), np.float32),
                   cast(Trunk, Known(code)))
    monkeypatch.undo()
    assert np.array_equal(again.content, code.content)
    assert np.array_equal(speak(again, volunteer, open_trunk()), made)


class Known:
    """A trunk that finds the content of a code in anything."""

    def __init__(self, code: SpeechCode) -> None:
        self.code = code

    def mean_of(self, content: Floats) -> Floats:
        return np.zeros(512, np.float32)

    def reduced(self, content: Floats, mean: Floats) -> Floats:
        return self.code.content


def test_what_passes_is_all_that_is_documented(code: SpeechCode) -> None:
    units = len(code.content)
    assert code.content.shape == (units, 160) and code.f0.shape == code.energy.shape == (4 * units,)


def test_each_stream_matters(code: SpeechCode, volunteer: VoiceDouble) -> None:
    made = speak(code, volunteer, open_trunk())
    for other in (replace(code, content=code.content[::-1].copy()), replace(code, f0=code.f0[::-1].copy()),
                  replace(code, energy=code.energy[::-1].copy())):
        assert not np.array_equal(speak(other, volunteer, open_trunk()), made)


def test_melody_and_loudness_stay_the_witness_s(code: SpeechCode, volunteer: VoiceDouble) -> None:
    made = soxr.resample(speak(code, volunteer, open_trunk()), RATE, SPEECH_RATE)
    made = np.pad(made, (0, len(code.f0) * HOP - len(made)))
    f0, energy = melody(made)[:len(code.f0)], loudness(made)[:len(code.f0)]
    both = (f0 > 0) & (code.f0 > 0)
    assert both.sum() > 100
    asked = double._melody(code, volunteer.arrays["f0"])
    near = np.abs(np.log(f0[both] / asked[both])) < 0.2  # the tracker misreads the rest, on any sound
    assert near.mean() > 0.95 and np.corrcoef(np.log(f0[both][near]), np.log(code.f0[both][near]))[0, 1] > 0.95
    assert np.corrcoef(energy[both], code.energy[both])[0, 1] > 0.92
    assert abs(np.median(np.log(f0[both])) - volunteer.arrays["f0"][0]) < 0.1  # as high as the volunteer speaks


def test_nothing_of_the_recording_is_found_in_the_double(witness: Floats, code: SpeechCode, volunteer: VoiceDouble) -> None:
    def narrow(sound: Floats) -> Floats:
        return np.asarray(soxr.resample(sound, RATE, SPEECH_RATE)[:len(witness)], np.float32)

    made = narrow(speak(code, volunteer, open_trunk()))
    control = residual(witness, narrow(without_words(code, volunteer)), SPEECH_RATE).peak
    assert residual(witness, made, SPEECH_RATE).peak < max(1.5 * control, 16)
    leaky = made + 0.5 * witness * np.sqrt(np.mean(made ** 2) / np.mean(witness ** 2))
    assert residual(witness, leaky, SPEECH_RATE).peak > 2 * max(1.5 * control, 16)


@pytest.mark.parametrize("level", [1e-3, 4e-3])  # 40 and 28 dB under the loudest speech
def test_pauses_are_quiet(level: float, volunteer: VoiceDouble, witness: Floats) -> None:
    """Also where the room is heard through all of the recording."""
    sound = np.concatenate([witness, np.zeros(SPEECH_RATE, np.float32), witness])
    sound += np.random.default_rng(1).normal(0, level, len(sound)).astype(np.float32)
    made = speak(listen(sound, open_content(), open_trunk()), volunteer, open_trunk())
    a = (len(witness) + 4000) * RATE // SPEECH_RATE
    still = np.sqrt(np.mean(made[a:a + RATE // 2] ** 2))
    assert still < level / 3  # 10 dB quieter than the witness's own


@pytest.mark.parametrize("under", [40, 28, 22, 15])  # dB that the noise of all of the recording lies under the loudest speech
def test_pauses_are_quiet_in_noise(under: float, volunteer: VoiceDouble, witness: Floats) -> None:
    """Whatever is heard in them: else the volunteer breathes in every pause, as loudly as the place is noisy."""
    heard = loudness(speak(listen(noisy(witness, under), open_content(), open_trunk()), volunteer, open_trunk()), RATE)
    a = len(witness) // HOP + 60
    assert np.percentile(heard, 95) - heard[a:a + 100].mean() > 40


def noisy(witness: Floats, under: float) -> Floats:
    """The witness twice, a second between, in white noise."""
    sound = np.concatenate([witness, np.zeros(SPEECH_RATE, np.float32), witness])
    level = 10 ** ((float(np.percentile(loudness(witness), 95)) - under) / 20)
    return np.asarray(sound + np.random.default_rng(1).normal(0, level, len(sound)), np.float32)


def test_what_somebody_says_calmly_and_shouting_stays_apart(volunteer: VoiceDouble, witness: Floats) -> None:
    """Also if each turn is converted by itself: melody and loudness are held against all that they say."""
    content, trunk = open_content(), open_trunk()
    calm = say("It was a quiet day, and we were waiting for the bus.", voice="en+m3", pitch=20) * np.float32(0.25)
    loud = say("Then they came into the house and shouted at us!", voice="en+m3", pitch=90)
    known = double.range_of(np.concatenate([calm, loud]), content, trunk)

    def middle(code: SpeechCode) -> float:
        return float(np.median(np.log(double._melody(code, volunteer.arrays["f0"])[code.f0 > 0])))

    apart, alone = ((listen(calm, content, trunk, of), listen(loud, content, trunk, of)) for of in (known, None))
    asked = np.subtract(*(np.median(np.log(code.f0[code.f0 > 0])) for code in apart[::-1]))
    assert abs(middle(alone[1]) - middle(alone[0])) < 0.02 < 0.15 < asked  # what it was
    assert 0.65 * asked < middle(apart[1]) - middle(apart[0]) < 1.45 * asked
    assert apart[0].loud == apart[1].loud and apart[0].sung == apart[1].sung
    said = [speak(code, volunteer, trunk) for code in apart]
    levels = [np.percentile(loudness(made, RATE), 95) for made in said]
    assert levels[1] - levels[0] > 9  # of 12 dB


@pytest.mark.parametrize("samples", [1, 79, 320, 321, 4801, 20000])
def test_as_long_as_it_was_to_the_sample(samples: int, witness: Floats, volunteer: VoiceDouble) -> None:
    made = speak(listen(witness[3000:3000 + samples], open_content(), open_trunk()), volunteer, open_trunk())
    assert len(made) == samples * RATE // SPEECH_RATE and np.isfinite(made).all()


@pytest.mark.parametrize("sound", [np.zeros(16000), np.ones(16000), np.full(16000, 1e-9), np.sign(np.sin(np.arange(16000) / 9)),
                                   np.random.default_rng(0).normal(0, 1, 16000)])
def test_what_is_no_speech_breaks_nothing(sound: Floats, volunteer: VoiceDouble) -> None:
    made = speak(listen(sound.astype(np.float32), open_content(), open_trunk()), volunteer, open_trunk())
    assert len(made) == RATE and np.isfinite(made).all()


def test_silence_stays_silent(volunteer: VoiceDouble) -> None:
    made = speak(listen(np.zeros(16000, np.float32), open_content(), open_trunk()), volunteer, open_trunk())
    assert np.abs(made).max() < 1e-3


def test_the_same_again(witness: Floats, code: SpeechCode, volunteer: VoiceDouble) -> None:
    again = listen(witness, open_content(), open_trunk())
    assert np.array_equal(again.content, code.content) and np.array_equal(again.f0, code.f0)
    assert np.array_equal(speak(again, volunteer, open_trunk()), speak(code, volunteer, open_trunk()))


def test_a_voice_is_opened_only_if_it_can_speak_and_may(volunteer: VoiceDouble, tmp_path: Path) -> None:
    today = dt.date(2026, 11, 21)
    write_voice(volunteer, tmp_path / "v.fvoice")
    write_voice(numbers(), tmp_path / "odd.fvoice")  # whole, and of no network's size
    assert len(open_voice(tmp_path / "v.fvoice", "test", today)(np.zeros(1600, np.float32))) == 2400
    with pytest.raises(ConsentError, match="not to film"):
        open_voice(tmp_path / "v.fvoice", "film", today)
    with pytest.raises(InputRefused, match="another version"):
        open_voice(tmp_path / "odd.fvoice", "test", today)


def test_without_the_reader_of_content_another_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"whisper-1 is missing.*models install.*revoice"):
        open_content(tmp_path)


def test_an_altered_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing"):
        load_net(tmp_path)
    for name in (NET, NUMBERS):
        data = bytearray((DATA / name).read_bytes())
        data[len(data) // 2] ^= 1
        for other in (NET, NUMBERS):
            (tmp_path / other).write_bytes(bytes(data) if other == name else (DATA / other).read_bytes())
        with pytest.raises(ModelError, match="altered"):
            load_net(tmp_path)
