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
PINS: Final = {NET: "da9033291adc743bdca735f7596f2d9f84ea883fdf3bad8b1a90d7c9c61055d3",
               NUMBERS: "60de3b4b799ce901147547440c1a7ed7003511bc13add2d12550c39e2c3c91fa"}
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
        return run, {name: held[name].astype(np.float32) for name in held.files}
