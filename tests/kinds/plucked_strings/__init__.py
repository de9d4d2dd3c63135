"""A package of a stranger's: short sounds, judged by a critic of waves and one of spectra. Donahue et al. 2019."""

import io
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor, nn

import ganvas
from ganvas.core import CriticOutput, Exhibit, Features, Field, GeneratorNetwork, Items, RealFeatures, Spec
from ganvas.data import ItemList
from ganvas.losses import R1, Hinge
from ganvas.methods import Adversarial, SideCritic
from ganvas.optim import Adam
from ganvas.recipe import Evaluation, Judge, Recipe, Train

RECORDING = Path(__file__).parents[2] / "data" / "pluck.wav"
RATE, CLIP, WINDOW = 11025, 384, 256  # samples a second; in a stored clip; in what networks see


@ganvas.config
class Recording:
    """Overlapping clips of one .wav file of 16 bits."""

    path: str = str(RECORDING)

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        with wave.open(self.path) as file:
            channels = file.getnchannels()
            values = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, channels)[:, 0]
        starts = range(0, len(values) - CLIP, 16)
        return ItemList(
            [f"clip {s}" for s in starts], lambda k: values[starts[k] : starts[k] + CLIP], "pluck", "a plucked string"
        )

    def held_out(self, suffixes: tuple[str, ...]) -> None:
        return None


def write_wave(rows: Tensor) -> bytes:
    """int16 [N, T] as one .wav, one after another."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(rows.numpy().astype("<i2").tobytes())
    return buffer.getvalue()


@ganvas.config
class WaveCodec:
    """Clips int16 [N, CLIP], of which a window [N, 1, WINDOW] in [-1, 1] is cut at random."""

    medium, noun, is_visual, preview_count = "sound", "clips", False, 8

    @property
    def spec(self) -> Spec:
        return Spec((1, WINDOW), (Field("wave", 1),), {})

    def protocol(self) -> Mapping[str, str]:
        return {"rate": str(RATE)}

    def encode(self, item: np.ndarray) -> np.ndarray:
        return np.array(item, np.int16)

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        spare = stored.shape[1] - WINDOW
        starts = torch.zeros(len(stored), dtype=torch.int64) if generator is None else None
        starts = torch.randint(spare + 1, (len(stored),), generator=generator) if starts is None else starts
        places = starts[:, None] + torch.arange(WINDOW)
        return stored.gather(1, places.to(stored.device)).float().div(32768)[:, None]

    def store(self, x: Tensor) -> Tensor:
        return (x[:, 0].detach().float().clamp(-1, 1) * 32767).round().short().cpu()

    def preview(self, stored: Tensor) -> Pillow.Image:
        heights = (stored.float() / 32768 * 31 + 32).long().clamp(0, 63)
        picture = np.zeros((64 * len(stored), stored.shape[1]), np.uint8)
        for k, row in enumerate(heights.numpy()):
            picture[64 * k + row, np.arange(len(row))] = 255
        return Pillow.fromarray(picture)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "PROVENANCE.txt").write_text("\n".join(f"{k}: {v}" for k, v in metadata.items()), encoding="utf-8")
        paths: list[Path] = []
        for name, data in self.files(stored, start, metadata):
            paths.append(folder / name)
            paths[-1].write_bytes(data)
        return paths

    def files(self, stored: Tensor, start: int, metadata: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        for k, row in enumerate(stored, start):
            yield f"{k:06d}.wav", write_wave(row[None])

    def exhibit(self, name: str, caption: str, stored: Tensor) -> Exhibit:
        return Exhibit(name, caption, ".wav", write_wave(stored))


@ganvas.config
class Sounds:
    suffixes: tuple[str, ...] = (".wav",)

    def fit(self, items: Items) -> WaveCodec:
        return WaveCodec()


class Player(GeneratorNetwork):
    """z [N, z_dim] -> x [N, 1, WINDOW]."""

    def __init__(self, z_dim: int, width: int) -> None:
        super().__init__()
        self.z_dim, self.width = z_dim, width
        self.first = nn.Linear(z_dim, width * WINDOW // 16)
        self.layers = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose1d(width, width, 8, 4, 2), nn.ReLU(), nn.ConvTranspose1d(width, 1, 8, 4, 2)
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(self.first(z).unflatten(1, (self.width, -1))).tanh()


class Listener(nn.Module):
    """[N, C, T] -> logits [N, T/8]: of patches in time."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.first, self.last = nn.Conv1d(channels, width, 8, 4, 2), nn.Conv1d(width, 1, 4, 2, 1)

    def forward(self, x: Tensor) -> CriticOutput:
        h = nn.functional.leaky_relu(self.first(x), 0.2)
        return CriticOutput(self.last(h).squeeze(1), h.mean(2))


@ganvas.config
class PlayerAndListeners:
    z_dim: int = 8
    width: int = 16

    def build(self, spec: Spec) -> nn.ModuleDict:
        networks = {"G": Player(self.z_dim, self.width), "D": Listener(1, self.width)}
        return nn.ModuleDict({**networks, "S": Listener(33, self.width)})

    def smallest(self) -> "PlayerAndListeners":
        return PlayerAndListeners(z_dim=2, width=2)


@ganvas.config
class Spectrogram:
    """x [N, 1, T] -> log magnitudes [N, 33, frames]."""

    def __call__(self, x: Tensor) -> Tensor:
        window = torch.hann_window(64, device=x.device)
        frames = torch.stft(x[:, 0].float(), 64, 16, window=window, return_complex=True)
        return (frames.real.square() + frames.imag.square() + 1e-6).log()


@ganvas.config
class SpectrumExtractor:
    """The mean log spectrum of each sound, [N, 33]."""

    @property
    def name(self) -> str:
        return "spectrum-33"

    @property
    def word(self) -> str:
        return "spectrum"

    @property
    def media(self) -> tuple[str, ...]:
        return ("sound",)

    def __call__(self, stored: Tensor) -> Features:
        return Features(Spectrogram()(stored.float().div(32768)[:, None]).mean(2).double().cpu().numpy())


@ganvas.config
class SpectrumDistance:
    """The root mean squared difference of mean spectra, and whether sounds are nearer to trained ones than to held-out ones."""

    against: str = "train"
    samples: int | None = None

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"spectrum": True, "nearer_to_train": True}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        def nearest(known: Features) -> np.ndarray:
            return np.abs(fake.features[:, None] - known.features[None]).mean(2).min(1)

        distance = np.sqrt(np.mean((real.reference.features.mean(0) - fake.features.mean(0)) ** 2))
        nearer = np.mean(nearest(real.reference) < nearest(real.held_out))
        return {"spectrum": float(distance), "nearer_to_train": float(nearer)}


def recipe() -> Recipe:
    """Plucks of a string."""
    adam = Adam(lr=1e-3, betas=(0.0, 0.99))
    side = SideCritic(network="S", view=Spectrogram(), penalties=(R1(gamma=0.01),), weight=0.5)
    return Recipe(
        name="plucked_strings",
        data=Recording(),
        medium=Sounds(),
        nets=PlayerAndListeners(),
        method=Adversarial(objective=Hinge(), penalties=(R1(gamma=0.1),), side_critics=(side,)),
        optim={"G": adam, "D": adam, "S": adam},
        train=Train(samples=240, batch=8, snapshots=2),
        evaluation=Evaluation(
            judges=(Judge(extractor=SpectrumExtractor(), metrics=(SpectrumDistance(),)),), samples=60, snapshot_samples=20
        ),
    )
