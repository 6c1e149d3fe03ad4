"""The words of a recording, as Whisper tiny.en writes them down: for the bench and the audit alone.

Its weights are not those of the content encoder (`content.py`), so that it can judge what conversion leaves of the words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from facedouble.errors import ModelError
from facedouble.models.content import LONGEST, log_mel
from facedouble.models.install import locate
from facedouble.models.registry import WORDS
from facedouble.types import Floats

FRAMES: Final = 3000  # of 10 ms: what the recogniser takes
NO_REPEAT: Final = 4  # words in a row are not said twice: what it cannot read, it would say over and over
PROMPT: Final = ("<|startoftranscript|>", "<|notimestamps|>")

Words = Callable[[Floats], str]
"""(N,) float32 at 16 kHz -> what was said, with Whisper's spelling and punctuation."""


def load_words(directory: Path | None = None) -> Words:
    """Load the recogniser of English; ModelError if a file of it is missing or altered."""
    import ctranslate2

    weights, config, words = (locate(name, directory).read_bytes() for name in WORDS)
    files = {"model.bin": weights, "config.json": config, "vocabulary.txt": words}
    try:
        model: Any = ctranslate2.models.Whisper("words", compute_type="int8", intra_threads=1, files=files)
    except (RuntimeError, ValueError) as error:
        raise ModelError("Whisper tiny.en cannot be started: install the models again") from error

    def read(sound: Floats) -> str:
        return " ".join(_read(sound[at:at + LONGEST]) for at in range(0, len(sound), LONGEST)).strip()

    def _read(sound: Floats) -> str:
        bands = log_mel(np.pad(sound, (0, FRAMES * 160 - len(sound))))[:, :FRAMES]
        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(bands[None]))
        found = model.generate(features, [list(PROMPT)], beam_size=1, max_length=448, no_repeat_ngram_size=NO_REPEAT)
        return spelled(found[0].sequences[0])

    return read


def spelled(tokens: list[str]) -> str:
    """The text of byte-level tokens (GPT-2's alphabet: each byte stands as one printable letter); special ones say nothing."""
    text = "".join(t for t in tokens if not (t.startswith("<|") and t.endswith("|>")))
    return bytes(_BYTES[letter] for letter in text if letter in _BYTES).decode("utf-8", "replace").strip()


def _alphabet() -> dict[str, int]:
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [b for b in range(256) if b not in plain]
    return {**{chr(b): b for b in plain}, **{chr(256 + k): b for k, b in enumerate(others)}}


_BYTES: Final = _alphabet()
