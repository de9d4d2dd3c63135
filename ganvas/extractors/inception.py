"""Inception as Heusel et al. 2017 used it: the extractor with which a Fréchet distance may be called FID.

pytorch-fid converted the weights from TensorFlow's; torch-fidelity has the same file. They are a download of 96 MB, only made
on request.
"""

import os
import sys
import urllib.request
from functools import cache
from http.client import HTTPException
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..configuration import config
from ..core import Features
from ..errors import GanvasError, require
from ..nets.pretrained.weights import fold_batch_norm, read_published_weights
from ..system.files import explain_os_errors, find_cache_folder, write_atomically
from .images import check_images, extract_in_batches, to_three_channels
from .inception_v3 import build_inception_v3

INCEPTION_FILE = "pt_inception-2015-12-05-6726825d.pth"
INCEPTION_URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{INCEPTION_FILE}"
INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
INCEPTION_BYTES = 95_628_359
INCEPTION_VARIABLE = "GANVAS_INCEPTION"
INCEPTION_NAME = "inception-v3-2015-12-05"  # on score cards, which then say FID


@config
class Inception:
    """The network of FID, KID and the inception score: images [N, H, W, C] of 8 or 16 bits -> 2048 features and 1008 logits.

    The logits are without bias, as in the original code of the inception score. Gray becomes RGB; channels after the third are
    dropped (alpha is not composited).

    path: the weights file. [default: the file named by GANVAS_INCEPTION, else one in the cache of ganvas or torch.hub]
    download: download the file if it is missing, 96 MB.
    batch: images at a time.
    """

    path: str | None = None
    download: bool = False
    batch: int = 50

    def __post_init__(self) -> None:
        require(self.batch >= 1, "batch", self.batch, "1 or more")

    @property
    def word(self) -> str:
        return "inception"

    @property
    def media(self) -> tuple[str, ...]:
        return ("image",)

    @property
    def name(self) -> str:
        return INCEPTION_NAME

    @property
    def feature_network(self) -> str:
        return "inception-v3"

    def __call__(self, stored: Tensor) -> Features:
        check_images(stored, self.name)
        net = _load_inception(self.find_weights_file(), stored.device)

        def forward(images: Tensor) -> tuple[Tensor, Tensor]:
            h = net[:-1](prepare_inception_images(images))
            return h, h @ net[-1].weight.T

        return extract_in_batches(stored, self.batch, (2048, 1008), forward)

    def find_weights_file(self) -> Path:
        """The weights file: the named one, else a cached one, else (with `download`) a new download.

        Raises:
            GanvasError: there is no such file, or the download fails.
        """
        named_path = self.path or os.environ.get(INCEPTION_VARIABLE)
        cached_path, hub = find_cache_folder() / INCEPTION_FILE, Path(torch.hub.get_dir()) / "checkpoints"
        known_paths = (
            cached_path,
            hub / INCEPTION_FILE,
            hub / INCEPTION_FILE.replace("pt_", "weights-"),
        )  # pytorch-fid's name, and torch-fidelity's
        for path in (Path(named_path).expanduser(),) if named_path else known_paths:
            if path.is_file():
                return path
        if named_path:
            raise GanvasError(
                f"inception: there is no file {named_path}: correct {'path' if self.path else INCEPTION_VARIABLE}"
            )
        if self.download:
            return fetch_inception_weights(INCEPTION_URL, cached_path)
        raise GanvasError(
            f"inception: its weights, {INCEPTION_FILE} (96 MB), are not on this machine: set `download` (`ganvas evaluate` "
            f"can fetch them once, for all commands), or name the file in {INCEPTION_VARIABLE}. Offline, the extractor "
            "`efficientnet` needs no download; its scores carry its own name"
        )


def fetch_inception_weights(url: str, path: Path) -> Path:
    """Download the weights to `path` and check them. Raises GanvasError on failure, and then leaves nothing behind."""

    def download_weights(temporary: Path) -> None:
        bar = tqdm(total=INCEPTION_BYTES, unit="B", unit_scale=True, desc=INCEPTION_FILE, disable=not sys.stderr.isatty())
        with urllib.request.urlopen(url, timeout=60) as answer, temporary.open("wb") as file, bar:
            while (block := answer.read(2**20)) and file.tell() <= INCEPTION_BYTES:
                file.write(block)
                bar.update(len(block))
        read_published_weights(temporary, INCEPTION_SHA256)

    with explain_os_errors("keeping the weights", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_atomically(path, download_weights)
    except (OSError, HTTPException) as error:  # no connection, refused, cut off, or a full disk
        raise GanvasError(
            f"inception: {url} could not be fetched to {path} ({error}): download it on another machine, and name it in "
            f"{INCEPTION_VARIABLE}. Offline, the extractor `efficientnet` needs no download; its scores carry its own name"
        ) from None
    return path


def prepare_inception_images(images: Tensor) -> Tensor:
    """Images [N, H, W, C] -> [N, 3, 299, 299], (value − 128) / 128."""
    x = resize_as_tensorflow1(to_three_channels(images), 299)
    return ((x - 128) / 128).contiguous(memory_format=torch.channels_last)


def resize_as_tensorflow1(x: Tensor, size: int) -> Tensor:
    """[N, C, H, W] -> [N, C, size, size] as TensorFlow 1 resized: pixel i lies at i·H/size, and there is no
    antialiasing."""
    for dim in (3, 2):
        length = x.shape[dim]
        positions = torch.arange(size, dtype=torch.float32) * torch.tensor(length / size, dtype=torch.float32)
        low = positions.long().clamp(max=length - 1)
        weight = (positions - low).to(x.device).reshape(-1, *(1,) * (3 - dim))
        low = low.to(x.device)
        before, after = x.index_select(dim, low), x.index_select(dim, (low + 1).clamp(max=length - 1))
        x = before + (after - before) * weight
    return x


@cache
def _load_inception(path: Path, device: torch.device) -> nn.Sequential:
    return build_inception_with_weights(read_published_weights(path, INCEPTION_SHA256)).to(device)


def build_inception_with_weights(published_weights: dict[str, Tensor]) -> nn.Sequential:
    """The network with the tensors of the weights file."""
    with torch.device("meta"):  # random initial weights would advance the global generator, and so change a training run
        net = build_inception_v3()
    weights = {f"fc.{part}": published_weights[f"fc.{part}"] for part in ("weight", "bias")}
    for path, module in net.named_modules():
        if isinstance(module, nn.Conv2d):  # "Mixed_7b.ways.1.step1.ways.0.branch3x3_2a" is "Mixed_7b.branch3x3_2a" in the file
            published_name = ".".join(dict.fromkeys((path.split(".")[0], path.split(".")[-1])))
            weights[f"{path}.weight"], weights[f"{path}.bias"] = fold_batch_norm(
                published_weights, f"{published_name}.conv", f"{published_name}.bn", eps=1e-3
            )
    net.load_state_dict(weights, assign=True)
    return net.eval().requires_grad_(False)
