"""The network of the voice double, and the numbers that belong to it, out of the package's own data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from facedouble.errors import ModelError
from facedouble.types import Floats

DATA: Final = Path(__file__).resolve().parent.parent / "data"
NET: Final = "voice.onnx"
NUMBERS: Final = "voice.npz"
PINS: Final = {NET: "71e48d4bec8a9799a8e9c361cbee1e41fa4485d87da7d565572f3b94780d9f4c",
               NUMBERS: "5310f54fd49c778a27c89f1ffa06d82d415a5611222d198b75bdef1c04ff0a16"}
"""SHA-256 of the two files that `scripts/train_voice.py` wrote."""


Run = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""As `voice.trunk.Trunk.run`."""


def load_net(directory: Path = DATA) -> tuple[Run, dict[str, Floats]]:
    """The network and the numbers that belong to it, for a `voice.trunk.Trunk`; it runs on one core, so that results repeat.

    ModelError if one of the two files is missing or altered.
    """
    import onnxruntime

    for name, pin in PINS.items():
        try:
            data = (directory / name).read_bytes()
        except OSError as error:
            raise ModelError(f"{directory / name} is missing: install facedouble again") from error
        if hashlib.sha256(data).hexdigest() != pin:
            raise ModelError(f"{directory / name} is altered: install facedouble again")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(str(directory / NET), settings, providers=["CPUExecutionProvider"])

    def run(code: Floats, voice: Floats) -> tuple[Floats, Floats]:
        made, thoughts = session.run(None, {"code": code[None], "voice": voice[None]})
        return made[0], thoughts[0]

    with np.load(directory / NUMBERS) as held:
        return run, {name: held[name] for name in held.files}
