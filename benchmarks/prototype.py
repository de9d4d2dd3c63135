"""The plain prototype that `auto` has to hold: the same networks, loss and settings in a loop of their own, without ganvas.

It imports ganvas only to judge what it made, by the same protocol as a run: python benchmarks/prototype.py --seconds 150
"""

import argparse
import copy
import json
import time

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas import recipes
from ganvas.data.dataset import open_data
from ganvas.evaluation.evaluator import Evaluator
from ganvas.system import device
from ganvas.system.files import find_cache_folder


def networks() -> tuple[nn.Module, nn.Module]:
    def up(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(inputs), nn.LeakyReLU(0.2), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]

    first = [nn.Linear(64, 2048), nn.Unflatten(1, (128, 4, 4))]
    G = nn.Sequential(*first, *up(128, 64), *up(64, 32), *up(32, 1), nn.Tanh())
    down = [m for i, o in ((1, 16), (16, 32), (32, 64)) for m in (nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2))]
    D = nn.Sequential(*down, nn.Flatten(), nn.Linear(1024, 1), nn.Flatten(0))
    return G.to(memory_format=torch.channels_last), D.to(memory_format=torch.channels_last)


def train(images: Tensor, seconds: float, total: int | None, bf16: bool) -> tuple[nn.Module, int, float]:
    """(averaged G, images seen, seconds). `images` uint8 [N, 32, 32, 1]."""
    torch.manual_seed(0)
    G, D = networks()
    average = copy.deepcopy(G)
    g_step, d_step = (torch.optim.Adam(net.parameters(), 2e-3, (0.0, 0.99), fused=True) for net in (G, D))
    batch, gamma, sigma, seen = 64, 0.5, 0.1, 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds if total is None else seen < total:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            real = (images[torch.randint(len(images), (batch,))].permute(0, 3, 1, 2).float()) / 127.5 - 1
            with torch.no_grad():
                fake = G(torch.randn(batch, 64))
            on_real, on_fake = D(real).float(), D(fake).float()
            slopes = [
                ((D(x + sigma * torch.randn_like(x)).float() - logits) / sigma) ** 2
                for x, logits in ((real, on_real), (fake, on_fake))
            ]
            loss = (F.softplus(on_fake - on_real) + gamma / 2 * (slopes[0] + slopes[1])).mean()
        loss.backward()
        d_step.step()
        d_step.zero_grad()
        D.requires_grad_(False)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            real = (images[torch.randint(len(images), (batch,))].permute(0, 3, 1, 2).float()) / 127.5 - 1
            with torch.no_grad():
                on_real = D(real).float()
            loss = F.softplus(on_real - D(G(torch.randn(batch, 64))).float()).mean()
        loss.backward()
        g_step.step()
        g_step.zero_grad()
        D.requires_grad_(True)
        seen += batch
        keep = 0.5 ** (batch / min(20_000, 0.05 * seen))
        with torch.no_grad():
            for old, new in zip(average.parameters(), G.parameters(), strict=True):
                old.lerp_(new, 1 - keep)
            for old, new in zip(average.buffers(), G.buffers(), strict=True):
                old.lerp_(new, 1 - keep) if old.is_floating_point() else old.copy_(new)
    return average, seen, time.perf_counter() - begun


class Sampled(nn.Module):
    """G as the judge calls it."""

    z_dim = 64

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--samples", type=int, default=None)
    arguments = parser.parse_args()
    recipe = recipes.find_recipe("auto")
    _, data, held_out = open_data(recipe.data, recipe.medium)
    judge = Evaluator(recipe.evaluation, data, held_out, find_cache_folder())
    G, seen, seconds = train(data.columns["x"], arguments.seconds, arguments.images, device.has_bf16(torch.device("cpu")))
    card = judge.score_final(recipe.method, nn.ModuleDict({"G": Sampled(G)}))
    head = {"samples": seen, "seconds": round(seconds, 1), "samples_per_second": round(seen / seconds)}
    print(json.dumps(head | card["scores"]))


if __name__ == "__main__":
    main()
