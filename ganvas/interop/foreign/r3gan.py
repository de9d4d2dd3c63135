"""R3GAN as the authors' code saves it (.pkl, or a plain state dict of its names)."""

import re

from ...errors import GanvasError
from ...nets import R3GAN
from . import ConvertedNetwork, FileNetwork

MAIN_LAYER_PATTERN = r"(?:Model\.)?MainLayers\.(\d+)\.Layers\.(\d+)\.(.*)"
END_NAMES = {
    "AggregationLayer.Layer.weight": "last.weight",
    "ExtractionLayer.Layer.weight": "first.weight",
    "EmbeddingLayer.weight": "label.weight",
}
LEAF_NAMES = {
    "NonLinearity1.Bias": "first.bias",
    "NonLinearity2.Bias": "second.bias",
    **{f"LinearLayer{k}.Layer.weight": f"{mine}.weight" for k, mine in ((1, "first"), (2, "second"), (3, "last"))},
}


def read(network: FileNetwork) -> ConvertedNetwork | None:
    tensors = {name.removeprefix("Model."): value for name, value in network.tensors.items() if "Kernel" not in name}
    player = "G" if "AggregationLayer.Layer.weight" in tensors else "D" if "ExtractionLayer.Layer.weight" in tensors else ""
    if not player:
        return None
    size, classes = tensors["EmbeddingLayer.weight"].shape if "EmbeddingLayer.weight" in tensors else (0, 0)
    layer_matches = [m for m in (re.match(MAIN_LAYER_PATTERN, name) for name in tensors) if m]
    stages = 1 + max(int(m[1]) for m in layer_matches)
    blocks = {k: {int(m[2]) for m in layer_matches if int(m[1]) == k and m[3] in LEAF_NAMES} for k in range(stages)}
    counts = {len(found) for found in blocks.values()}
    if len(counts) != 1:
        raise GanvasError("R3GAN with different numbers of blocks per size is not supported")
    first_blocks = [f"MainLayers.{k}.Layers.{min(blocks[k])}." for k in range(stages)]
    widths = [tensors[f"{at}LinearLayer1.Layer.weight"].shape[1] for at in first_blocks]
    groups = {tensors[f"{at}LinearLayer2.Layer.weight"].shape[1] for at in first_blocks}
    if len(groups) != 1:
        raise GanvasError("R3GAN with different group sizes per size is not supported")
    state = {
        rename_r3gan_weight(name, player, {k: min(b) for k, b in blocks.items()}): value for name, value in tensors.items()
    }
    end_name = "AggregationLayer.Layer.weight" if player == "G" else "ExtractionLayer.Layer.weight"
    channels = tensors[end_name].shape[0 if player == "G" else 1]
    z_dim = tensors["MainLayers.0.Layers.0.LinearLayer.weight"].shape[1] - size if player == "G" else 64
    if classes and size != (z_dim if player == "G" else widths[-1]):
        raise GanvasError("R3GAN with class embeddings of other sizes than z and D's last width is not supported")
    if classes:  # in the file it is a linear layer of one-hot labels
        state["label.weight"] = state["label.weight"].t()
    nets = R3GAN(z_dim=z_dim, widths=tuple(widths if player == "G" else widths[::-1]), blocks=counts.pop(), group=groups.pop())
    side = 4 * 2 ** (stages - 1)
    return ConvertedNetwork(
        f"R3GAN's {player}, from its authors' code", "r3gan", nets, (channels, side, side), classes, player, state
    )


def rename_r3gan_weight(name: str, player: str, starts: dict[int, int]) -> str:
    """Our name. `starts` is the number of the first block at each size: in G a channel change comes first, in D last."""
    match = re.match(MAIN_LAYER_PATTERN, name)
    if not match:
        return END_NAMES.get(name, name)
    stage, place, leaf = int(match[1]), int(match[2]), match[3]
    if leaf in LEAF_NAMES:
        return f"stages.{stage}.{place - starts[stage]}.{LEAF_NAMES[leaf]}"
    if leaf == "LinearLayer.weight":
        return "first.weight" if player == "G" else "last.weight"
    if leaf == "LinearLayer.Layer.weight":
        return f"changes.{stage - 1 if player == 'G' else stage}.weight"
    return {"Basis": "basis", "Basis.weight": "basis.weight"}.get(leaf, name)
