"""The speech detector and the voice encoder, on speech by espeak-ng; the front end against figures of librosa 0.11.0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facedouble.errors import ModelError
from facedouble.models.hearing import LOOK, RATE, mel, speech_detector, voice_encoder
from facedouble.models.install import locate
from facedouble.pipeline.hearing import Ears, open_ears
from facedouble.types import Floats
from tests.voice.spoken import looks, say

# librosa.feature.melspectrogram(y=chirp, sr=16000, n_fft=512, win_length=400, hop_length=160, n_mels=40, window="hamming",
# center=False), log10(. + 1e-10): frame, band, figure
LIBROSA = ((0, 1, -0.508), (0, 20, -5.526), (20, 12, -5.337), (40, 22, -5.36), (40, 0, -6.206), (79, 30, -5.809), (79, 39, -6.206))


def chirp() -> Floats:
    t = np.arange(LOOK) / RATE
    return (0.05 * np.sqrt(2) * np.sin(2 * np.pi * (100 + 3500 * t) * t)).astype(np.float32)


def test_the_front_end_is_that_of_librosa() -> None:
    seen = mel(chirp()[None])[0]
    assert seen.shape == (80, 40)
    for frame, band, figure in LIBROSA:
        assert seen[frame, band] == pytest.approx(figure, abs=2e-3)


def test_loudness_does_not_matter() -> None:
    np.testing.assert_allclose(mel(chirp()[None] * 20), mel(chirp()[None] / 20), atol=1e-4)
    assert np.isfinite(mel(np.zeros((1, LOOK), np.float32))).all()


def test_speech_is_told_from_silence_and_noise() -> None:
    ears = open_ears()
    rng = np.random.default_rng(1)
    assert np.median(ears.activity()(say("The rain has stopped, and we walked along the river."))) > 0.9
    assert ears.activity()(np.zeros(RATE, np.float32)).max() < 0.2
    assert np.median(ears.activity()(rng.normal(0, 0.05, RATE).astype(np.float32))) < 0.2


def test_blocks_of_any_length_give_the_same() -> None:
    sound, ears = say("One two three four."), open_ears()
    whole = ears.activity()(sound)
    assert len(whole) == len(sound) // 512
    for length in (1000, 512, 77):
        add = ears.activity()
        parts = [add(sound[k : k + length]) for k in range(0, len(sound), length)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_each_sound_begins_anew() -> None:
    sound, ears = say("One two three."), open_ears()
    first, second = ears.activity(), ears.activity()
    first(np.ones(5000, np.float32))
    np.testing.assert_array_equal(second(sound), ears.activity()(sound))


def test_a_voice_is_nearer_to_itself_than_to_another() -> None:
    ears = open_ears()
    one, again = (ears.voiceprint(looks(say(t))) for t in ("We went home late.", "Nobody asked what had happened."))
    other = ears.voiceprint(looks(say("We went home late.", 0.75)))
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    assert (one @ again.T).mean() > (one @ other.T).mean() + 0.15


def test_looks_do_not_depend_on_their_company() -> None:
    ears = open_ears()
    cut = looks(say("We went home late in the evening."))
    np.testing.assert_array_equal(ears.voiceprint(cut)[1:2], ears.voiceprint(cut[1:2]))
    assert ears.voiceprint(cut[:0]).shape == (0, 256)


@pytest.mark.parametrize("load", [speech_detector, voice_encoder])
def test_what_is_no_model_is_refused(load: object, tmp_path: Path) -> None:
    assert callable(load)
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="missing or altered"):
        load(tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="missing or altered"):
        load(tmp_path / "nothing.onnx")


def test_the_other_model_is_refused() -> None:
    with pytest.raises(ModelError, match="another one"):
        speech_detector(locate("voices"))


def test_without_the_models_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="facedouble models install"):
        open_ears(tmp_path)


def test_ears_hold_both() -> None:
    assert isinstance(open_ears(), Ears)
