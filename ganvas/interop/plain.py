"""Run a generator that ganvas exported, without ganvas: `python load.py 16` writes samples.npy, uint8 [16, H, W, C].

A generator of texts takes those that were exported with it, and draws from them. A translator needs a picture:
`python load.py photo.png` writes translated.png, and needs Pillow as well. Further pictures and a mask follow where the run
takes them.
Next to this file are generator.safetensors, its weights, and generator.json, the computation: a list of PyTorch operations,
each with the name of its result. Nothing else is run. Needs torch, numpy and safetensors.
"""

import json
import operator
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

PYTHON_OPERATIONS: dict[str, Any] = {
    **{name: getattr(operator, name) for name in ("getitem", "mul", "add", "sub", "floordiv", "neg", "truediv", "mod")},
    "sym_float": float,  # of sizes that are computed
}


class Generator:
    def __init__(self, folder: str | Path) -> None:
        self.description = json.loads((Path(folder) / "generator.json").read_text(encoding="utf-8"))
        self.numbers = load_file(Path(folder) / "generator.safetensors")

    def __call__(self, **latents: torch.Tensor) -> torch.Tensor:
        """z [N, z_dim], and conditions [N, …] if the generator takes any -> x [N, …]; pictures lie roughly in [-1, 1].

        A translator takes source [N, C, H, W] in [-1, 1]; some also take mask [N, 1, H, W], 1 in the hole. H and W are
        multiples of description["sides"]["multiple"].
        """
        if self.description["sides"]:
            check_picture_size(self.description["sides"], *latents["source"].shape[2:])
        values: dict[str, Any] = {**self.numbers, **latents}
        with torch.no_grad():
            for name, operation, arguments, options in self.description["graph"]:
                values[name] = find_operation(operation)(*fill_arguments(arguments, values), **fill_arguments(options, values))
        return values[self.description["output"]]

    def translate(self, pixels: np.ndarray, hole: np.ndarray | None = None, **given: torch.Tensor) -> np.ndarray:
        """A picture [H, W, C] of 8 or 16 bits, of any size -> [scale·H, scale·W, C'] of its depth.

        Several pictures are stacked, [H, W, 3 for each]. A map of labels is [H, W], or [H, W, 3] with colours for labels.

        hole: [H, W], above 0 where it is to be filled. given: other inputs, such as label=torch.tensor([2]).
        """
        sides, labels = self.description["sides"], self.description["inputs"]["source"]["labels"]
        half, dtype = (127.5, np.dtype(np.uint8)) if labels else (np.iinfo(pixels.dtype).max / 2, pixels.dtype)
        place = np.ix_(*(mirror_rows(side, extend_side(side, sides)) for side in pixels.shape[:2]))
        source = (
            encode_labels(pixels[place], labels) if labels else torch.from_numpy(pixels[place].astype(np.float32)) / half - 1
        )
        latents = {"source": source.permute(2, 0, 1)[None], **given}
        if hole is not None:
            latents["mask"] = torch.from_numpy((hole[place] > 0).astype(np.float32))[None, None]
        x = self(**self.draw_latents(1, 0, **latents))[0].clamp(-1, 1).permute(1, 2, 0)
        height, width = (sides["scale"] * side for side in pixels.shape[:2])
        return ((x + 1) * half).round().numpy().astype(dtype)[:height, :width]

    def draw_latents(self, n: int, seed: int = 0, **given: torch.Tensor) -> dict[str, torch.Tensor]:
        """Latents for n samples. Conditions [N, …] that are not given are drawn as frequent as in the data."""
        random, latents = torch.Generator().manual_seed(seed), dict(given)
        for name, how in self.description["inputs"].items():
            if name not in latents:
                latents[name] = draw_input(name, how, n, random, self.numbers)
        return latents

    def read_texts(self, texts: list[str]) -> torch.Tensor:
        """Texts as the generator takes them: draw_latents(2, text=generator.read_texts(["…", "…"])).

        They are among the exported ones, description["inputs"]["text"]["names"]: turning others into numbers needs ganvas.
        """
        names = self.description["inputs"]["text"]["names"]
        unknown = [text for text in texts if text not in names]
        if unknown:
            raise ValueError(f"{unknown[0]!r} was not exported: ganvas export RUN --texts FILE writes the texts of a file")
        return self.numbers["texts"][[names.index(text) for text in texts]].float()


def encode_labels(values: np.ndarray, labels: list[int]) -> torch.Tensor:
    """A map of labels [H, W], or of colours [H, W, 3], one-hot: float [H, W, K]."""
    if values.ndim == 3:
        values = values.astype(np.int64) @ np.array([65536, 256, 1])
    is_class = values[..., None] == np.array(labels)
    if not is_class.any(2).all():
        raise ValueError(f"the map has the label {values[~is_class.any(2)][0]}, which is not among {labels}")
    return torch.from_numpy(is_class.astype(np.float32))


def draw_input(
    name: str, how: dict[str, Any], n: int, random: torch.Generator, numbers: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Draw one input of the generator, by its description."""
    if how["drawn"] == "normal":
        return torch.randn(n, how["size"], generator=random)
    if how["drawn"] == "uniform":
        return torch.rand(n, how["size"], generator=random) * 2 - 1
    if how["drawn"] == "draws":
        return torch.rand(n, how["size"], generator=random)
    if how["drawn"] == "classes":
        return torch.multinomial(torch.tensor(how["shares"]), n, replacement=True, generator=random)
    if how["drawn"] == "examples":
        rows = torch.tensor(how["examples"])
        return rows[torch.randint(len(rows), (n,), generator=random)]
    if how["drawn"] == "texts":
        return numbers["texts"][torch.randint(len(how["names"]), (n,), generator=random)].float()
    raise ValueError(f"give {name}, a tensor [{n}, {', '.join(map(str, how['shape']))}]: draw_latents({n}, {name}=…)")


def check_picture_size(sides: dict[str, int], height: int, width: int) -> None:
    """Raises ValueError for a size that the generator does not take."""
    if "height" in sides and (height, width) != (sides["height"], sides["width"]):
        raise ValueError(f"pictures must be {sides['width']} x {sides['height']} px, got {width} x {height}")
    if any(side % sides["multiple"] or side < sides["smallest"] for side in (height, width)):
        raise ValueError(
            f"sides must be multiples of {sides['multiple']} px, at least {sides['smallest']}, got {width} x {height}: "
            "translate() pads pictures to such a size"
        )


def extend_side(side: int, sides: dict[str, int]) -> int:
    """The least length from `side` on that the generator takes."""
    return -(-max(side, sides["smallest"]) // sides["multiple"]) * sides["multiple"]


def mirror_rows(side: int, length: int) -> np.ndarray:
    """The rows of a picture that goes on as its mirror image up to `length`: 0 1 2 3 | 2 1 0 1 …"""
    places = np.arange(length) % max(1, 2 * (side - 1))
    return np.minimum(places, np.abs(2 * (side - 1) - places)) if side > 1 else np.zeros(length, np.int64)


def find_operation(operation: str) -> Any:
    if operation in PYTHON_OPERATIONS:
        return PYTHON_OPERATIONS[operation]
    kind, _, overload = operation.rpartition(".")
    operator_overload = getattr(getattr(torch.ops.aten, kind), overload)
    if not isinstance(operator_overload, torch._ops.OpOverload) or kind == "from_file":  # from_file can write to files
        raise ValueError(f"{operation[:80]!r} is not an operation on tensors: refused")
    return operator_overload


def fill_arguments(argument: Any, values: dict[str, Any]) -> Any:
    if isinstance(argument, list):
        return [fill_arguments(part, values) for part in argument]
    if isinstance(argument, dict) and "value" in argument:
        return values[argument["value"]]
    if isinstance(argument, dict) and "torch" in argument:
        torch_value = getattr(torch, argument["torch"])
        return torch_value if isinstance(torch_value, (torch.dtype, torch.layout, torch.memory_format)) else None
    if isinstance(argument, dict) and "seed" in argument:
        return torch.Generator().manual_seed(argument["seed"])
    return {name: fill_arguments(part, values) for name, part in argument.items()} if isinstance(argument, dict) else argument


def translate_file(generator: Generator, *paths: str) -> None:
    """Write translated.png."""
    from PIL import Image

    inputs = generator.description["inputs"]
    source, names = inputs["source"], [*inputs["source"]["pictures"], *(["mask"] if "mask" in inputs else [])]
    if len(paths) != len(names):
        sys.exit(f"which pictures? python load.py {' '.join(f'{name}.png' for name in names)}")
    pictures = [read_picture(path, source) for path in paths[: len(source["pictures"])]]
    if len({picture.shape[:2] for picture in pictures}) > 1:
        sys.exit("pictures have different sizes: bring all of them to one size")
    hole = np.asarray(Image.open(paths[-1]).convert("L")) if "mask" in inputs else None
    result = generator.translate(pictures[0] if source["labels"] else np.concatenate(pictures, 2), hole)
    Image.fromarray(result[..., 0] if result.shape[2] == 1 else result).save("translated.png")


def read_picture(path: str, source: dict[str, Any]) -> np.ndarray:
    """A file as uint8 [H, W, C], the right way up, over the background where it is transparent; or as labels."""
    from PIL import Image, ImageOps

    picture, channels = ImageOps.exif_transpose(Image.open(path)), source["shape"][0] // len(source["pictures"])
    if source["labels"]:
        return np.asarray(picture.convert("RGB") if source["has_colours"] else picture)
    if picture.mode.startswith("I"):  # 16 bits
        picture = Image.fromarray((np.asarray(picture) / 257).round().astype(np.uint8))
    if picture.has_transparency_data and channels != 4:
        ground = Image.new("RGBA", picture.size, (*[source["background"]] * 3, 255))
        picture = Image.alpha_composite(ground, picture.convert("RGBA"))
    pixels = np.asarray(picture.convert({1: "L", 4: "RGBA"}.get(channels, "RGB")))
    return pixels.reshape(*pixels.shape[:2], channels)


def write_sample_file(generator: Generator, n: int) -> None:
    """Write samples.npy."""
    x = generator(**generator.draw_latents(n))
    levels = generator.description["levels"]  # 255 or 65535 for pictures, None for other samples
    if levels:
        x = ((x.clamp(-1, 1) + 1) * (levels / 2)).round().movedim(1, -1)
    np.save("samples.npy", x.numpy().astype({255: np.uint8, 65535: np.uint16}.get(levels, np.float32)))


if __name__ == "__main__":
    exported_generator = Generator(Path(__file__).parent)
    if exported_generator.description["sides"]:
        translate_file(exported_generator, *sys.argv[1:])
    else:
        write_sample_file(exported_generator, int(sys.argv[1]) if len(sys.argv) > 1 else 16)
