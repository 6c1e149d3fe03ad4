"""The judge of voices: its file is read without running anything in it, and its arithmetic is torch's."""

from __future__ import annotations

import io
import pickle
import sys
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facedouble.errors import ModelError
from facedouble.models import judge as judging
from facedouble.models.install import locate
from facedouble.models.judge import BANDS, HIDDEN, HOP, PIECE, SHAPES, Layer, judge
from facedouble.models.torchfile import MAGIC, tensors
from facedouble.types import Floats

RNG = np.random.default_rng(5)
GOLDEN = ([209, 93, 133, 180, 116, 38, 87, 64], [0.20929, 0.195933, 0.193644, 0.192388, 0.1911, 0.187912, 0.174233, 0.169501])


class Stored:
    """Stands for a storage while a file is written."""

    def __init__(self, key: str, numbers: Floats) -> None:
        self.key, self.numbers = key, numbers.reshape(-1)


@pytest.fixture
def torch_names(monkeypatch: pytest.MonkeyPatch) -> Any:
    """torch's two names, so that the pickles of a test say them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild(*_: Any) -> None:
        raise AssertionError("the reader called it")

    rebuild.__module__, rebuild.__name__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2", "_rebuild_tensor_v2"
    storage = type("FloatStorage", (), {"__module__": "torch"})
    utils.__dict__["_rebuild_tensor_v2"], torch.__dict__["FloatStorage"] = rebuild, storage
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return rebuild, storage


def written(held: dict[str, Floats], names: Any, more: Any = None) -> bytes:
    """What torch.save wrote before 1.6: five pickles, then the storages."""
    rebuild, storage = names
    stores = {name: Stored(str(1000 + k), a) for k, (name, a) in enumerate(held.items())}

    class Tensor:
        def __init__(self, name: str) -> None:
            self.name = name

        def __reduce__(self) -> Any:
            a = held[self.name]
            return rebuild, (stores[self.name], 0, a.shape, tuple(s // 4 for s in a.strides), False, OrderedDict())

    class Writer(pickle.Pickler):
        def persistent_id(self, value: Any) -> Any:
            if isinstance(value, Stored):
                return "storage", storage, value.key, "cpu", len(value.numbers), None
            return None

    out = io.BytesIO()
    for value in (MAGIC, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}):
        pickle.dump(value, out, 2)
    state = OrderedDict((name, Tensor(name)) for name in held)
    Writer(out, 2).dump({"step": 7, "model_state": state, "more": more})
    pickle.dump(sorted(s.key for s in stores.values()), out, 2)
    for store in sorted(stores.values(), key=lambda s: s.key):
        out.write(len(store.numbers).to_bytes(8, "little") + store.numbers.astype("<f4").tobytes())
    return out.getvalue()


def some() -> dict[str, Floats]:
    return {"a.weight": RNG.normal(size=(3, 4)).astype(np.float32), "a.bias": RNG.normal(size=3).astype(np.float32)}


def test_the_numbers_come_out(torch_names: Any) -> None:
    held = some()
    again = tensors(written(held, torch_names, [1.5, None, (True, "x", -3), 1 << 70]), "model_state")
    assert set(again) == set(held) and all(np.array_equal(again[k], held[k]) for k in held)


class Trap:
    """Its pickle asks for `exit`, as a malicious file would for worse."""

    def __reduce__(self) -> Any:
        return exit, (3,)


@pytest.mark.parametrize("trap", [Trap(), len, OrderedDict(a=1).keys, b"bytes", {1, 2}, 1 + 2j])
def test_a_file_that_asks_for_anything_else_is_refused_unrun(trap: Any, torch_names: Any) -> None:
    with pytest.raises(ModelError, match=r"asks for|calls|not what torch"):
        tensors(written(some(), torch_names, trap), "model_state")


def test_a_cut_altered_or_foreign_file_is_refused(torch_names: Any) -> None:
    data = written(some(), torch_names)
    cut = [data[:n] for n in range(0, len(data), 7)]
    for made in (b"", b"PK\x03\x04" + data, data + b"\0", pickle.dumps({"model_state": {}}), *cut):
        with pytest.raises(ModelError, match="install"):
            tensors(made, "model_state")
    with pytest.raises(ModelError):
        tensors(data, "optimizer_state")


def test_a_tensor_that_points_elsewhere_is_refused(torch_names: Any) -> None:
    a = RNG.normal(size=(3, 4)).astype(np.float32)
    with pytest.raises(ModelError, match="dense"):
        tensors(written({"a": a.T}, torch_names), "model_state")


def slow_layer(layer: Layer, x: Floats) -> Floats:
    """torch's LSTM, gate by gate, one sequence at a time."""
    size = len(layer.again)
    out = np.zeros((*x.shape[:2], size))
    for n, sequence in enumerate(x):
        h, c = np.zeros(size), np.zeros(size)
        for t, row in enumerate(sequence):
            i, f, g, o = np.split(row @ layer.into.astype(np.float64) + h @ layer.again + layer.bias, 4)
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = np.tanh(c) / (1 + np.exp(-o))
            out[n, t] = h
    return out.astype(np.float32)


def test_a_layer_is_torchs() -> None:
    layer = Layer(*(RNG.normal(size=s).astype(np.float32) for s in ((5, 12), (3, 12), (12,))))
    x = RNG.normal(size=(2, 30, 5)).astype(np.float32) * 3
    assert np.allclose(layer(x), slow_layer(layer, x), atol=1e-5)


@pytest.mark.parametrize("samples", [0, 1, 100, 12_000, 25_600, 25_601, 30_000, 44_000, 200_000])
def test_pieces_lie_as_resemblyzers(samples: int) -> None:
    frames, step = int(np.ceil((samples + 1) / HOP)), int(np.round((16_000 / 1.3) / HOP))
    theirs = list(range(0, max(1, frames - PIECE + step + 1), step))
    if (samples - theirs[-1] * HOP) / (PIECE * HOP) < 0.75 and len(theirs) > 1:
        theirs = theirs[:-1]
    assert judging._starts(samples) == theirs


@pytest.fixture
def small_judge(torch_names: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A judge with weights of this test."""
    weights = {name: (RNG.normal(size=shape) * 0.05).astype(np.float32) for name, shape in SHAPES.items()}
    (tmp_path / "w.pt").write_bytes(written(weights, torch_names))
    monkeypatch.setattr(judging, "locate", lambda *_: tmp_path / "w.pt")
    return judge()


def test_long_sounds_are_heard_in_batches(small_judge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = (RNG.normal(size=16_000 * 9) * 0.1).astype(np.float32)
    whole = small_judge(sound)
    monkeypatch.setattr(judging, "BATCH", 2)
    assert np.allclose(small_judge(sound), whole, atol=1e-6) and abs(np.linalg.norm(whole) - 1) < 1e-5


def test_odd_sounds(small_judge: Any) -> None:
    for sound in (np.zeros(0), np.zeros(1), np.ones(1), np.zeros(40_000), np.full(30_000, 1e-30)):
        heard = small_judge(sound.astype(np.float32))
        assert heard.shape == (256,) and np.isfinite(heard).all()
    assert not small_judge(np.zeros(40_000, np.float32)).any()
    for bad in (np.full(100, np.nan, np.float32), np.zeros((100, 2), np.float32)):
        with pytest.raises(ValueError):
            small_judge(bad)


def test_weights_that_do_not_fit_are_refused(torch_names: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    for name, held in (("linear.bias", np.zeros(3, np.float32)), ("lstm.bias_hh_l2", np.full(4 * HIDDEN, np.nan, np.float32))):
        (tmp_path / "w.pt").write_bytes(written({**weights, name: held}, torch_names))
        monkeypatch.setattr(judging, "locate", lambda *_: tmp_path / "w.pt")
        with pytest.raises(ModelError, match=name):
            judge()


def test_a_missing_judge_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="install"):
        judge(tmp_path)


def test_the_real_judge_says_what_resemblyzer_says() -> None:
    """Numbers of Resemblyzer 0.1.4 with torch 2.13.0 for this sound."""
    try:
        locate("judge")
    except ModelError:
        pytest.skip("the audit's judge is not installed by default")
    t = np.arange(48_000) / 16_000
    low, high = 0.1 * np.sin(2 * np.pi * 140 * t) * (1 + np.sin(2 * np.pi * 3 * t)), 0.05 * np.sin(2 * np.pi * 900 * t)
    heard = judge()((low + high).astype(np.float32))
    assert heard.shape == (256,) and BANDS == 40
    assert np.allclose(heard[GOLDEN[0]], GOLDEN[1], atol=2e-5)
