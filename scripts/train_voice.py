"""Train the network of the voice double and write facedouble/data/voice.onnx and voice.npz.

Usage: python scripts/train_voice.py SPEECH_FOLDER CACHE_FOLDER [--steps 2500] [--sounds]

SPEECH_FOLDER holds one recording (FLAC or WAV) for each speaker; the shipped weights were trained on the 227 readers of
`shared/data/speech_train`: LibriSpeech train-clean-100 (Panayotov, Chen, Povey, Khudanpur 2015, CC BY 4.0), cut by the authors of
Resemblyzer. Every nineteenth speaker is held out. CACHE_FOLDER keeps what was taken out of each recording (half an hour's work).
Needs torch 2.13.0 and onnx 1.23.2, which facedouble itself does without. On two cores: 40 minutes. `--sounds` trains nothing: it
gathers the sounds that content is drawn towards anew, for the network that is there. The shipped ones were made by `sounds_of`,
of 214 of the readers.

The shipped weights were trained by this recipe while it was still a scratch file, from content kept in half precision; a new run
gives others of the same kind.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from facedouble.media.recording import recording as source
from facedouble.models.content import load_content
from facedouble.models.voicenet import DATA, NET, NUMBERS
from facedouble.pipeline.voices import mono
from facedouble.types import Array, Floats
from facedouble.voice.code import SPEECH_RATE, UNIT
from facedouble.voice.trunk import ENVELOPE, FRAMES, KNOWN_UNITS, LOUD_SPREAD, OUTPUTS, SPEECH_BELOW, loudness
from facedouble.voice.world import melody, take_apart

CONTENT, VOICE, HIDDEN, BLOCKS = 160, 32, 256, 4
LENGTH, BATCH, RATE, DECAY, DROPPED = 100, 16, 2e-3, 0.05, 0.3  # units, stretches, learning rate, weight decay, dropout
CONTENT_NOISE, VOICE_NOISE, VOICING_GUESSED = 0.4, 0.15, 0.2
SOUNDS, ROUNDS = 4096, 6
HELD_OUT = 19


@dataclass
class Recording:
    """One speaker: content (U, 512), envelope (4 U, 50), noise (4 U, 1), f0 (4 U,), energy (4 U,)."""

    content: Floats
    envelope: Floats
    noise: Floats
    f0: Floats
    energy: Floats


def recording(path: Path, cache: Path, content: Any) -> Recording:
    """Take a recording apart, or find what was taken out of it before."""
    place = cache / f"{path.stem}.npz"
    if not place.exists():
        sound = np.concatenate(list(mono(source(path), SPEECH_RATE)))
        sound = np.pad(sound, (0, -len(sound) % UNIT))
        f0 = melody(sound)
        parts = take_apart(sound, f0, SPEECH_RATE)
        np.savez(place, content=content(sound), envelope=parts.envelope, noise=parts.noise, f0=f0, energy=loudness(sound))
    with np.load(place) as held:
        return Recording(**{name: held[name] for name in held.files})


class Net(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Convolutions over units, each shifted and scaled by the voice (FiLM)."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.voiced = nn.Conv1d(CONTENT + 2, HIDDEN, 3, padding=1), nn.Linear(VOICE, HIDDEN)
        self.convolutions = nn.ModuleList(nn.Conv1d(HIDDEN, HIDDEN, 5, padding=2) for _ in range(BLOCKS))
        self.films = nn.ModuleList(nn.Linear(VOICE, 2 * HIDDEN) for _ in range(BLOCKS))
        self.norms = nn.ModuleList(nn.GroupNorm(1, HIDDEN) for _ in range(BLOCKS))
        self.leave, self.drop = nn.Conv1d(HIDDEN, FRAMES * OUTPUTS, 1), nn.Dropout(DROPPED)
        for film in self.films:
            nn.init.zeros_(film.weight)
            nn.init.zeros_(film.bias)

    def forward(self, code: torch.Tensor, voice: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, U, CONTENT + 2), (B, VOICE) -> (B, U, 4, OUTPUTS), (B, U, HIDDEN)."""
        h = self.enter(code.transpose(1, 2)) + self.voiced(voice)[:, :, None]
        for convolution, film, norm in zip(self.convolutions, self.films, self.norms, strict=True):
            scale, shift = film(voice).chunk(2, -1)
            h = h + functional.gelu(norm(convolution(self.drop(h))) * (1 + scale[:, :, None]) + shift[:, :, None])
        made = self.leave(h).transpose(1, 2)
        return made.reshape(made.shape[0], made.shape[1], FRAMES, OUTPUTS), h.transpose(1, 2)


def numbers_of(known: list[Recording]) -> dict[str, Floats]:
    """The principal axes of content and of long-term spectra, the mean and spread of the targets: see `Trunk`."""
    mean = np.mean([r.content.mean(0) for r in known], 0)
    rest = np.concatenate([r.content - stretch_mean(r.content, mean) for r in known])
    power, axes = np.linalg.eigh(np.cov(rest[::3].T))
    voices = np.array([long_term(r) for r in known])
    middle = voices.mean(0)
    basis = np.linalg.svd(voices - middle, full_matrices=False)[2][:VOICE].T
    targets = np.concatenate([target(r).reshape(-1, OUTPUTS) for r in known])
    shift, spread = targets.mean(0), targets.std(0) + 1e-3
    shift[-1], spread[-1] = 0, 1  # voicing stays a share
    made = {"content_mean": mean, "content_basis": axes[:, ::-1][:, :CONTENT] / np.sqrt(power[::-1][:CONTENT]),
            "voice_mean": middle, "voice_basis": basis / ((voices - middle) @ basis).std(0), "mean": shift, "spread": spread}
    return {name: np.ascontiguousarray(a, np.float32) for name, a in made.items()}


def stretch_mean(content: Floats, mean: Floats) -> Array:
    """As in `Trunk.reduced`."""
    return np.asarray((content.sum(0) + KNOWN_UNITS * mean) / (len(content) + KNOWN_UNITS))


def own_content(r: Recording, n: dict[str, Floats]) -> Floats:
    """As in `Trunk.reduced`, drawn towards nothing: (U, CONTENT)."""
    return np.asarray((r.content - stretch_mean(r.content, n["content_mean"])) @ n["content_basis"], np.float32)


def sounds_of(known: list[Recording], n: dict[str, Floats]) -> Array:
    """The middles of SOUNDS groups of alike units, by k-means: (SOUNDS, CONTENT) float16."""
    units = np.concatenate([own_content(r, n) for r in known])
    middles = units[np.random.default_rng(0).choice(len(units), SOUNDS, replace=False)]
    for _ in range(ROUNDS):
        power = (middles ** 2).sum(1)
        nearest = np.concatenate([np.argmin(power - 2 * units[k:k + 2048] @ middles.T, 1) for k in range(0, len(units), 2048)])
        size, total = np.bincount(nearest, minlength=SOUNDS), np.zeros_like(middles)
        np.add.at(total, nearest, units)
        middles[size > 0] = total[size > 0] / size[size > 0, None]
    return np.asarray(middles, np.float16)


def long_term(r: Recording) -> Floats:
    """As in `Trunk.voice`."""
    speech = r.envelope[r.energy > np.percentile(r.energy, 95) - SPEECH_BELOW, 1:]
    return np.concatenate([speech.mean(0), np.log(speech.std(0) + 1e-3)])


def target(r: Recording) -> Floats:
    """What the network should say (U, 4, OUTPUTS)."""
    rows = np.column_stack([r.envelope, r.noise, r.f0 > 0]).astype(np.float32)
    return rows.reshape(-1, FRAMES, OUTPUTS)


def example(r: Recording, n: dict[str, Floats]) -> tuple[Floats, Floats, Floats]:
    """Input (U, CONTENT + 2), target in units of its spread, the voice's numbers."""
    voiced, energy = (r.f0 > 0).reshape(-1, FRAMES).mean(1), r.energy.reshape(-1, FRAMES).mean(1)
    loud = np.clip((energy - np.percentile(energy, 90)) / LOUD_SPREAD, -3, 1)
    voice = np.clip((long_term(r) - n["voice_mean"]) @ n["voice_basis"], -3, 3)
    return (np.column_stack([own_content(r, n), voiced, loud]).astype(np.float32),
            ((target(r) - n["mean"]) / n["spread"]).astype(np.float32), voice.astype(np.float32))


def loss_of(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1 of the coefficients, low ones counting more, and of their movement; cross-entropy of the voicing."""
    weight = torch.ones(ENVELOPE + 1)
    weight[1:ENVELOPE] += 0.5 * torch.exp(-torch.arange(ENVELOPE - 1) / 8.0)
    weight[0], weight[ENVELOPE] = 0.2, 0.5
    still = ((made - wanted)[..., :-1].abs() * weight).mean()
    voicing = functional.binary_cross_entropy_with_logits(made[..., -1], wanted[..., -1])
    off = (made - wanted)[..., :ENVELOPE // 2].flatten(1, 2)
    return still + 0.3 * voicing + 0.25 * (off[:, 2:] - off[:, :-2]).abs().mean()


def batch(known: list[tuple[Floats, Floats, Floats]], lengths: Array, rng: np.random.Generator) -> list[torch.Tensor]:
    """Stretches of LENGTH units; the input is disturbed so that nobody's voicing, and no single number, is leant on."""
    rows = []
    for k in rng.choice(len(known), BATCH, p=lengths / lengths.sum()):
        code, wanted, voice = known[k]
        at = int(rng.integers(0, max(1, len(code) - LENGTH + 1)))
        code, wanted = (np.pad(a[at:at + LENGTH], [(0, max(0, LENGTH - len(a)))] + [(0, 0)] * (a.ndim - 1), "edge")
                        for a in (code, wanted))
        code = code.copy()
        code[:, :CONTENT] += rng.normal(0, CONTENT_NOISE, (LENGTH, CONTENT))
        if rng.random() < VOICING_GUESSED:
            code[:, CONTENT] = rng.random()
        rows.append((code, wanted, voice + rng.normal(0, VOICE_NOISE, VOICE)))
    return [torch.tensor(np.array(column), dtype=torch.float32) for column in zip(*rows, strict=True)]


def train(known: list[Any], held: list[Any], steps: int) -> Net:
    """AdamW with one cycle of the learning rate."""
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    rng, net = np.random.default_rng(0), Net()
    ways = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    cycle = torch.optim.lr_scheduler.OneCycleLR(ways, RATE, steps)
    lengths, seen = np.array([len(k[0]) for k in known], np.float64), []
    for step in range(1, steps + 1):
        code, wanted, voice = batch(known, lengths, rng)
        loss = loss_of(net(code, voice)[0], wanted)
        ways.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        ways.step()
        cycle.step()
        seen.append(float(loss))
        if step % 250 == 0:
            net.eval()
            with torch.no_grad():
                away = [float(loss_of(net(torch.tensor(c[None]), torch.tensor(v[None]))[0], torch.tensor(w[None])))
                        for c, w, v in held]
            net.train()
            print(f"{step}: {np.mean(seen[-250:]):.4f}, held out {np.mean(away):.4f}", flush=True)
    net.eval()
    return net


def write_net(net: Net) -> None:
    """Write the network, which takes any number of units."""
    shown = (torch.zeros(1, 50, CONTENT + 2), torch.zeros(1, VOICE))
    torch.onnx.export(net, shown, str(DATA / NET), input_names=["code", "voice"], output_names=["made", "thoughts"],
                      dynamic_axes={"code": {1: "units"}, "made": {1: "units"}, "thoughts": {1: "units"}}, opset_version=17,
                      dynamo=False)


def main() -> None:
    """Take apart, train, write."""
    ask = argparse.ArgumentParser()
    ask.add_argument("speech", type=Path)
    ask.add_argument("cache", type=Path)
    ask.add_argument("--steps", type=int, default=2500)
    ask.add_argument("--sounds", action="store_true", help="gather the sounds anew, train nothing")
    said = ask.parse_args()
    said.cache.mkdir(parents=True, exist_ok=True)
    content = load_content()
    files = sorted(p for p in said.speech.iterdir() if p.suffix in (".flac", ".wav"))
    recordings = [recording(path, said.cache, content) for path in files]
    held = recordings[::HELD_OUT]
    known = [r for k, r in enumerate(recordings) if k % HELD_OUT]
    if said.sounds:
        with np.load(DATA / NUMBERS) as there:
            n = {name: there[name] for name in there.files}
    else:
        n = numbers_of(known)
        write_net(train([example(r, n) for r in known], [example(r, n) for r in held], said.steps))
    np.savez(DATA / NUMBERS, **{**n, "sounds": sounds_of(known, n)})
    for name in (NET, NUMBERS):
        print(name, hashlib.sha256((DATA / name).read_bytes()).hexdigest(), (DATA / name).stat().st_size)


if __name__ == "__main__":
    main()
