"""Others' files: the goldens in every form make the originals' pictures; hostile files are refused, and nothing is run."""

import io
import pickle
import shutil
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ganvas import cli
from ganvas.core import Field, Spec
from ganvas.errors import GanvasError
from ganvas.interop.converting import convert
from ganvas.interop.foreign import reading
from ganvas.interop.foreign.reading import read_networks
from ganvas.nets import R3GAN, StyleGAN2
from ganvas.nets.layers.spectral_norm import SpectralNorm
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.runs.state import build_state
from ganvas.sampling.generator import Sampler
from ganvas.system import pickles
from small_recipes import class_condition

NVIDIA = ["stylegan2_G", "stylegan3_T_G", "stylegan3_R_G", "r3gan"]


def weights(goldens: Path, name: str) -> dict[str, Any]:
    """A golden's networks as files hold them: one, or by player."""
    found = {key[2:]: value for key, value in load_file(goldens / f"{name}.safetensors").items() if key.startswith("w/")}
    if name not in ("r3gan", "biggan"):
        return found
    return {player: {key[2:]: value for key, value in found.items() if key[0] == player} for player in "GD"}


def agrees(run: RunFolder, goldens: Path, name: str) -> None:
    """The run makes the original's pictures."""
    golden, made = load_file(goldens / f"{name}.safetensors"), Sampler(run)
    latents = {"z": golden["in/z"]} | ({"label": golden["in/y"]} if name == "biggan" else {})
    for module in made.nets["G"].modules() if name == "biggan" else ():  # the golden was made with other than the usual eps
        if isinstance(module, nn.BatchNorm2d | SpectralNorm):
            module.eps = 1e-4 if isinstance(module, nn.BatchNorm2d) and module is not made.nets["G"].norm else module.eps
            module.eps = 1e-6 if isinstance(module, SpectralNorm) else module.eps
    wanted = golden.get("out/image", golden.get("out/image_eval"))
    assert wanted is not None
    with torch.no_grad():
        found = made.method.render(made.nets, latents)
    assert (found - wanted).abs().max() <= 1e-4 * wanted.std()


@pytest.mark.parametrize("form", ["zip", "old", "safetensors"])
@pytest.mark.parametrize("name", [*NVIDIA, "biggan"])
def test_the_goldens_as_state_dicts(goldens: Path, tmp_path: Path, name: str, form: str) -> None:
    held, file = weights(goldens, name), tmp_path / ("g.safetensors" if form == "safetensors" else "g.pth")
    if form == "safetensors":
        save_file({key: value.contiguous() for key, value in held.get("G", held).items()}, file)
    else:
        torch.save(
            {"G_ema": held.get("G", held), "D": held.get("D", {}), "epoch": 3},
            file,
            _use_new_zipfile_serialization=form == "zip",
        )
    agrees(convert(file, tmp_path / "run"), goldens, name)


# ---------------------------------------------------------------- networks that were pickled whole, as NVIDIA's code does


class Persistent:
    """Pickled as torch_utils.persistence pickles a module: its class's source, and its state."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __reduce__(self) -> Any:
        meta = {"type": "class", "version": 6, "module_src": "import os\nos.abort()", "class_name": "Generator"}
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (meta | {"state": self.state},)


@pytest.fixture
def nvidia(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their modules' names, while a file is written."""
    package, module = ModuleType("torch_utils"), ModuleType("torch_utils.persistence")

    def reconstruct(meta: Any) -> None:
        raise AssertionError("something in the file was run")

    reconstruct.__module__, reconstruct.__qualname__ = "torch_utils.persistence", "_reconstruct_persistent_obj"
    module._reconstruct_persistent_obj = reconstruct  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_utils", package)
    monkeypatch.setitem(sys.modules, "torch_utils.persistence", module)


def module(tensors: dict[str, Tensor], kind: str = "") -> Persistent:
    """A network as its pickle has it: a tree of modules."""
    own = {name: value for name, value in tensors.items() if "." not in name}
    inner: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if "." in name:
            head, _, rest = name.partition(".")
            inner.setdefault(head, {})[rest] = value
    buffers = (
        "resample_filter",
        "noise_const",
        "w_avg",
        "freqs",
        "phases",
        "transform",
        "magnitude_ema",
        "up_filter",
        "down_filter",
    )
    parameters = {name: nn.Parameter(value, requires_grad=False) for name, value in own.items() if name not in buffers}
    state = {"training": False, "_parameters": parameters, "_buffers": {n: v for n, v in own.items() if n in buffers}}
    state |= {"_modules": {name: module(found) for name, found in inner.items()}, "_backward_hooks": {}, "_is": {1, 2}}
    return Persistent(state | ({"_init_args": (), "_init_kwargs": {"kind": kind}} if kind else {}))


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("name", NVIDIA)
def test_the_goldens_as_whole_networks(goldens: Path, tmp_path: Path, nvidia: None, name: str, protocol: int) -> None:
    held, file = weights(goldens, name), tmp_path / "network.pkl"
    G, zero = held.get("G", held), {key: torch.zeros_like(value) for key, value in held.get("G", held).items()}
    networks = {"G": module(zero, "G"), "D": module(held["D"], "D") if "D" in held else None, "G_ema": module(G, "G_ema")}
    file.write_bytes(pickle.dumps({**networks, "training_set_kwargs": {"class_name": "training.dataset"}}, protocol))
    said: list[str] = []
    agrees(run := convert(file, tmp_path / "run", say=said.append), goldens, name)  # G_ema was taken, and G, all 0, was not
    assert said[1].startswith("D: loaded" if "D" in held else "D: not loaded")
    if name == "r3gan":
        d_agrees(run, goldens, name, "in/real", "out/logits_real")


def d_agrees(run: RunFolder, goldens: Path, name: str, given: str, out: str) -> None:
    """The run's D says what the original's does."""
    golden, state = load_file(goldens / f"{name}.safetensors"), build_state(run.recipe, run.read_spec(), 0, torch.device("cpu"))
    checkpoint.load_nets(run.find_checkpoint("last"), state)
    with torch.no_grad():
        found = state.nets["D"].eval()(golden[given]).logits
    assert (found - golden[out].flatten()).abs().max() <= 1e-4 * golden[out].std()


@pytest.mark.parametrize("wide", [False, True])
def test_nvidias_d(goldens: Path, tmp_path: Path, wide: bool) -> None:
    """Beside its G, and beside StyleGAN3's, which has another base: published ones have 16384 and D 32768."""
    name = "stylegan3_T_G" if wide else "stylegan2_G"
    torch.save({"G_ema": weights(goldens, name), "D": weights(goldens, "stylegan2_D")}, tmp_path / "g.pth")
    said: list[str] = []
    run = convert(tmp_path / "g.pth", tmp_path / "run", say=said.append)
    assert said[1] == "D: loaded (StyleGAN2's D, from NVIDIA's code)"
    d_agrees(run, goldens, "stylegan2_D", "in/x", "out/logits")


# ---------------------------------------------------------------- rosinality's


def rosinality(G: nn.Module) -> dict[str, Tensor]:
    """Our StyleGAN2 in that repository's names and forms."""
    state, found = G.state_dict(), {"input.input": G.start.detach()[None]}
    for k in range(len(G.mapping.layers)):
        found |= {f"style.{k + 1}.{leaf}": state[f"mapping.layers.{k}.{leaf}"] for leaf in ("weight", "bias")}
    layers = {"conv1": "first"}
    for k in range(len(G.ups)):
        layers |= {f"convs.{2 * k}": f"ups.{k}", f"convs.{2 * k + 1}": f"evens.{k}"}
    images = {"to_rgb1": "to_image.0"} | {f"to_rgbs.{k}": f"to_image.{k + 1}" for k in range(len(G.ups))}
    for number, (theirs, ours) in enumerate({**layers, **images}.items()):
        found[f"{theirs}.conv.weight"] = state[f"{ours}.{'weight' if theirs in images else 'convolution.weight'}"][None]
        found |= {f"{theirs}.conv.modulation.{leaf}": state[f"{ours}.style.{leaf}"] for leaf in ("weight", "bias")}
        if theirs in layers:
            found |= {
                f"{theirs}.noise.weight": state[f"{ours}.strength"][None],
                f"{theirs}.activate.bias": state[f"{ours}.bias"],
            }
            found |= {
                f"noises.noise_{number}": state[f"{ours}.still"][None, None],
                f"{theirs}.conv.blur.kernel": torch.ones(4, 4),
            }
        else:
            found[f"{theirs}.bias"] = state[f"{ours}.bias"][None, :, None, None]
    return found


def test_rosinalitys_names(tmp_path: Path) -> None:
    """Ours under those names and back; there is no golden of that code, whose arithmetic is the paper's."""
    torch.manual_seed(0)
    G = (
        StyleGAN2(z_dim=8, w_dim=8, mapping=3, width=16, base=256)
        .build(Spec((3, 32, 32), (Field("image", 3),), {}))["G"]
        .eval()
    )
    for parameter in G.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    torch.save({"g": {}, "g_ema": rosinality(G), "args": None}, tmp_path / "550000.pt")
    made = Sampler(convert(tmp_path / "550000.pt", tmp_path / "run"))
    z = torch.randn(2, 8)
    with torch.no_grad():
        torch.testing.assert_close(made.nets["G"](z), G(z))
        drawn = G.mapping(torch.randn(10_000, 8)).mean(0)  # which the file does not say
    assert (made.nets["G"].mapping.middle - drawn).abs().max() < 0.1 * drawn.abs().max()
    torch.save({"g_ema": rosinality(G), "latent_avg": torch.full((8,), 0.25)}, tmp_path / "converted.pt")  # convert_weight.py's
    made = Sampler(convert(tmp_path / "converted.pt", tmp_path / "other"))
    assert made.nets["G"].mapping.middle.tolist() == [0.25] * 8


# ---------------------------------------------------------------- StyleGAN2 and 3 with classes


def linear(tensors: dict[str, Tensor], name: str, x: Tensor, rate: float = 1.0) -> Tensor:
    """A fully connected layer as the papers have it: weights scaled as they are used, by He et al. and the layer's own rate."""
    weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    return x @ (weight * rate / weight.shape[1] ** 0.5).t() + bias * rate


def map_labels(tensors: dict[str, Tensor], label: Tensor, classes: int) -> Tensor:
    """D's mapping of labels as Karras et al. 2020b have it: an embedding of size 1, and layers at a hundredth of the rate."""
    h = linear(tensors, "mapping.embed", nn.functional.one_hot(label, classes).float())
    h = h * (h.square().mean(1, keepdim=True) + 1e-8).rsqrt()
    for k in range(sum(name.endswith(".bias") and "fc" in name for name in tensors if name.startswith("mapping."))):
        h = nn.functional.leaky_relu(linear(tensors, f"mapping.fc{k}", h, 0.01), 0.2) * 2**0.5
    return h


def with_classes(tensors: dict[str, Tensor], classes: int, width: int, layers: int, inputs: int = 0) -> dict[str, Tensor]:
    """A golden's network with random weights where labels come in."""
    more = {"mapping.embed.weight": torch.randn(width, classes), "mapping.embed.bias": torch.zeros(width)}
    sizes = [inputs + width] + [width] * layers
    for k in range(layers):
        more |= {f"mapping.fc{k}.weight": 100 * torch.randn(width, sizes[k]), f"mapping.fc{k}.bias": torch.randn(width)}
    return {name: value for name, value in tensors.items() if not name.startswith("mapping.fc")} | more


@pytest.mark.parametrize("label_width", [64, 24])
@pytest.mark.parametrize(("layers", "d_layers"), [(2, 8), (8, 8), (3, 1)])
@pytest.mark.parametrize("name", ["stylegan2_G", "stylegan3_T_G"])
def test_d_with_classes_has_a_mapping_of_its_own(
    goldens: Path, tmp_path: Path, name: str, layers: int, d_layers: int, label_width: int
) -> None:
    torch.manual_seed(0)
    G = with_classes(weights(goldens, name), 5, 64, layers, inputs=64)
    D = with_classes(weights(goldens, "stylegan2_D"), 5, label_width, d_layers)
    D |= {"b4.out.weight": torch.randn(label_width, 64), "b4.out.bias": torch.randn(label_width)}
    torch.save({"G_ema": G, "D": D}, tmp_path / "g.pth")
    said: list[str] = []
    run = convert(tmp_path / "g.pth", tmp_path / "run", say=said.append)
    assert said == [f"StyleGAN{name[8]}{'-T' if '3' in name else ''}, from NVIDIA's code: 3 x 32 x 32, 5 classes",
                    "D: loaded (StyleGAN2's D, from NVIDIA's code)"]  # fmt: skip
    assert (run.recipe.nets.mapping, run.recipe.nets.d_mapping, run.recipe.nets.d_w_dim) == (layers, d_layers, label_width)
    state = build_state(RunFolder(run.path).recipe, run.read_spec(), 0, torch.device("cpu"))
    checkpoint.load_nets(run.checkpoints[-1], state)
    golden, label = load_file(goldens / "stylegan2_D.safetensors"), torch.arange(8) % 5
    with torch.no_grad():
        found = state.nets["D"].eval()(golden["in/x"], label)
        plain = linear(
            weights(goldens, "stylegan2_D"), "b4.out", found.features
        )  # the golden's own last layer, on our features
        wanted = (linear(D, "b4.out", found.features) * map_labels(D, label, 5)).sum(1) / label_width**0.5
    torch.testing.assert_close(plain, golden["out/logits"].view_as(plain), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.logits, wanted, rtol=1e-4, atol=1e-4)


# ---------------------------------------------------------------- R3GAN with classes


def test_r3gan_with_classes(goldens: Path, tmp_path: Path) -> None:
    """Ours under the golden's names, with the embedding that networks with classes have beside them, and back."""
    from ganvas.interop.foreign import r3gan

    label = class_condition(5, (), (0.2,) * 5)
    G = R3GAN(widths=(48, 48, 32, 32), blocks=1).build(Spec((3, 32, 32), (Field("image", 3),), {"label": label}))["G"].eval()
    state, names = (
        G.state_dict(),
        [name.removeprefix("Model.") for name in weights(goldens, "r3gan")["G"] if "Kernel" not in name],
    )
    theirs = {name: state[r3gan.rename_r3gan_weight(name, "G", dict.fromkeys(range(4), 1))] for name in names}
    torch.save(theirs | {"EmbeddingLayer.weight": state["label.weight"].t().contiguous()}, tmp_path / "g.pth")
    made = Sampler(convert(tmp_path / "g.pth", tmp_path / "run"))
    z, labels = torch.randn(3, 64), torch.tensor([0, 4, 2])
    with torch.no_grad():
        torch.testing.assert_close(made.nets["G"](z, labels), G(z, labels))


# ---------------------------------------------------------------- what is wrong


class Hostile:
    """Calls what it is told when unpickled."""

    def __init__(self, call: Any, *words: Any) -> None:
        self.call, self.words = call, words

    def __reduce__(self) -> Any:
        return self.call, self.words


def attacks(mark: Path) -> Iterator[tuple[str, Any]]:
    import os
    import subprocess

    text = f"open({str(mark)!r}, 'w').close()"
    yield "os.system", Hostile(os.system, f"touch {mark}")
    yield "eval", Hostile(eval, text)
    yield "exec", Hostile(exec, text)
    yield "subprocess", Hostile(subprocess.Popen, ["touch", str(mark)])
    yield "getattr", Hostile(getattr, Hostile(__import__, "os"), "system")
    yield "import", Hostile(__import__, "antigravity")


@pytest.mark.parametrize("wrapped", ["plain", "nested", "zip", "storage"])
@pytest.mark.parametrize("protocol", range(6))
def test_what_asks_to_be_run_is_refused(
    tmp_path: Path, protocol: int, wrapped: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each attack does work on Python's own reader, and none here."""
    mark, file = tmp_path / "mark", tmp_path / "evil.pkl"
    for name, attack in attacks(mark):
        held: Any = {"G_ema": [{"deep": (attack,)}]} if wrapped == "nested" else attack
        data = pickle.dumps(held, protocol)
        if wrapped == "zip":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("archive/data.pkl", data)
                archive.writestr("archive/byteorder", "little")
        elif wrapped == "storage":
            if protocol < 3:
                continue
            file.write_bytes(pickle.dumps({"w": Hostile(torch.storage._load_from_bytes, data)}, protocol))
        else:
            file.write_bytes(data)
        assert cli.main(["convert", str(file), "--out", str(tmp_path / "run")]) == 1
        said = capsys.readouterr().err
        assert "refused, and nothing in it was run" in said, name
        assert not mark.exists()
        assert not (tmp_path / "run").exists()
    if wrapped == "plain" and protocol == 2:
        pickle.loads(pickle.dumps(next(attacks(mark))[1], protocol))
        assert mark.exists()


def instructions() -> Iterator[bytes]:
    """Old ways to call: INST, OBJ, and names from the registry of extensions."""
    yield b"(S'touch x'\nios\nsystem\n."
    yield b"(cos\nsystem\nS'touch x'\no."
    yield b"\x80\x02\x82\x01."
    yield b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x07touch x\x85R."
    yield b"cos\nsystem\n(S'touch x'\ntR."


@pytest.mark.parametrize("data", list(instructions()))
def test_old_instructions_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "evil.pkl").write_bytes(data)
    with pytest.raises(GanvasError, match="nothing in it was run"):
        read_networks(tmp_path / "evil.pkl")


def of_class(module: str, name: str) -> bytes:
    """A pickle of an object of this class, with a state."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b")\x81}X\x01\0\0\0aK\x01sb."


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        ("dnnlib.tflib.network", "Network", "TensorFlow time: convert the file with legacy.py of stylegan2-ada-pytorch first"),
        ("pg_modules.networks_fastgan", "Generator", r"Projected GAN, whose networks \(FastGAN\) are not known here"),
        ("timm.models.efficientnet", "EfficientNet", "a network of timm's"),
        ("pytorch_lightning.callbacks", "ModelCheckpoint", r"Lightning's: save the generator's state_dict\(\) alone"),
        ("models", "Generator", r"which is not known here: save the generator's state_dict\(\) alone, with torch.save"),
        ("timmy", "Generator", "which is not known here: save"),
    ],
)
@pytest.mark.parametrize("form", ["plain", "zip"])
def test_files_of_other_families_are_called_what_they_are(tmp_path: Path, module: str, name: str, said: str, form: str) -> None:
    file = tmp_path / "other.pkl"
    file.write_bytes(of_class(module, name))
    if form == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", of_class(module, name))
    with pytest.raises(
        GanvasError, match=rf"^other.pkl holds '{module}.{name}', .*{said}.*\(nothing of it was run\)$"
    ) as caught:
        read_networks(file)
    assert "refused" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "os.system",
            "posix.system",
            "nt.system",
            "builtins.eval",
            "__builtin__.eval",
            "subprocess.Popen",
            "commands.getoutput",
        ),
        *("importlib.import_module", "ctypes.CDLL", "numpy.testing._private.utils.runstring", "torch.hub.load", "models.build"),
    ],
)
def test_what_asks_for_a_call_is_hostile(tmp_path: Path, name: str) -> None:
    (tmp_path / "evil.pkl").write_bytes(of_class(*name.rsplit(".", 1)))
    with pytest.raises(GanvasError, match=rf"asks for '{name}', which no network's weights need: refused"):
        read_networks(tmp_path / "evil.pkl")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.pkl"
    file.write_bytes(data)
    with pytest.raises(GanvasError):
        read_networks(file)


@given(st.data())
def test_a_damaged_file_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    kept = io.BytesIO()
    torch.save({"w": torch.arange(6.0).view(2, 3)}, kept, _use_new_zipfile_serialization=data.draw(st.booleans()))
    whole = bytearray(kept.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "damaged.pt"
    file.write_bytes(whole)
    try:
        (found,) = read_networks(file)
    except GanvasError:
        return
    assert all(isinstance(value, Tensor) for value in found.tensors.values())


def test_tensors_that_reach_beyond_their_numbers() -> None:
    def tensor(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
        held = reading.StorageTable()
        held.dtypes["0"], held.raw_bytes["0"] = torch.float32, torch.arange(4.0).numpy().tobytes()
        return reading.ValueResolver(reading.UnfoldingBudget("x", 1000)).rebuild_tensor(
            [reading.StorageReference(held, "0"), offset, size, stride]
        )

    assert tensor(1, (3,), (1,)).tolist() == [1, 2, 3]
    assert tensor(0, (0, 9), (9, 1)).shape == (0, 9)
    for place in ((2, (3,), (1,)), (0, (2, 2), (3, 2)), (0, (3,), (-1,)), (-1, (1,), (1,)), (0, (10**10,), (0,))):
        with pytest.raises(ValueError, match="tensor"):
            tensor(*place)


def test_a_few_words_that_mean_a_world_are_read_once(tmp_path: Path) -> None:
    """Sixty lists that each hold the one before twice: as many paths as there are grains of sand."""
    held: Any = [0, 0]
    for _ in range(60):
        held = [held, held]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": held}))
    with pytest.raises(GanvasError, match="holds no known weights"):
        read_networks(tmp_path / "a.pkl")
    around: list[Any] = []
    around.append(around)
    (tmp_path / "b.pkl").write_bytes(pickle.dumps({"x": around}))
    with pytest.raises(GanvasError, match="without end"):
        read_networks(tmp_path / "b.pkl")


def test_a_small_file_does_not_unfold_to_a_large_one(tmp_path: Path) -> None:
    """Mappings and modules that each mention what came before twice; bytes that are opened again and again."""
    held: Any = {"w": 0}
    module: Any = {"state": {"_parameters": {}, "_modules": {}}}
    for _ in range(60):
        held = {"a": held, "b": held}
        module = {"state": {"_parameters": {}, "_modules": {"a": module, "b": module}}}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": held}))
    with pytest.raises(GanvasError, match="holds no known weights"):
        read_networks(tmp_path / "a.pkl")
    with pytest.raises(ValueError, match="without end"):
        list(reading.iterate_weights(module["state"]))
    leaf: Any = {"_parameters": {str(k): torch.zeros(1) for k in range(1000)}}
    module = {"_modules": {str(k): {"state": leaf} for k in range(1000)}}
    with pytest.raises(ValueError, match="without end"):
        list(reading.iterate_weights(module))
    pairs = Hostile(OrderedDict, [[0] * 1000] * 1000)
    (tmp_path / "c.pkl").write_bytes(pickle.dumps({"x": pairs}, 2))
    with pytest.raises(GanvasError, match="too many values"):
        read_networks(tmp_path / "c.pkl")
    data = pickle.dumps(bytes(100_000))
    again = [Hostile(torch.storage._load_from_bytes, data) for _ in range(200)]
    (tmp_path / "b.pkl").write_bytes(pickle.dumps({"x": again}, 4))
    with pytest.raises(GanvasError, match="many times its size"):
        read_networks(tmp_path / "b.pkl")


def test_tensors_of_one_storage_share_it() -> None:
    held = reading.StorageTable()
    held.dtypes["0"], held.raw_bytes["0"] = torch.float32, bytes(4_000_000)
    settling = reading.ValueResolver(reading.UnfoldingBudget("x", 0))
    found = [settling.rebuild_tensor([reading.StorageReference(held, "0"), k, (10,), (1,)]) for k in range(100)]
    assert len({tensor.untyped_storage().data_ptr() for tensor in found}) == 1


def test_widths_that_a_file_claims_are_compared_before_room_is_made(
    goldens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = weights(goldens, "stylegan2_G")
    wide = {name: torch.zeros(1000) if name.endswith("conv1.bias") else value for name, value in held.items()}
    torch.save(wide, tmp_path / "wide.pth")
    monkeypatch.setattr("ganvas.runs.state.build_state", None)
    with pytest.raises(GanvasError, match="in another shape"):
        convert(tmp_path / "wide.pth", tmp_path / "run")


def test_what_names_claim_is_bounded(goldens: Path, tmp_path: Path) -> None:
    """Layers numbered to the stars, and classes in a tensor without numbers."""
    few = torch.zeros(2, 2)
    names = ["linear.weight", "output_layer.0.gain", "blocks.0.0.conv1.weight", "shared.weight", "blocks.9999999999.0.x"]
    torch.save(dict.fromkeys(names, few), tmp_path / "a.pth")
    held = weights(goldens, "r3gan")["G"] | {"Model.MainLayers.9999999999.Layers.0.LinearLayer1.Layer.weight": few}
    torch.save(held, tmp_path / "b.pth")
    for name in "ab":
        with pytest.raises(GanvasError, match="holds no known generator"):
            convert(tmp_path / f"{name}.pth", tmp_path / "run")
    save_file(weights(goldens, "stylegan2_G") | {"mapping.embed.weight": torch.zeros(0, 10**9)}, tmp_path / "c.safetensors")
    convert(tmp_path / "c.safetensors", tmp_path / "run")  # it is as if it were not there


def test_a_run_is_written_whole_or_not_at_all(
    goldens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(weights(goldens, "stylegan2_G"), tmp_path / "g.pth")

    def full(folder: Path, state: object) -> None:
        (folder / "half").mkdir(parents=True)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save_checkpoint", full)
        assert cli.main(["convert", str(tmp_path / "g.pth"), "--out", str(tmp_path / "run")]) == 1
    assert "no space left on device" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert cli.main(["convert", str(tmp_path / "g.pth"), "--out", str(tmp_path / "run")]) == 0


def test_a_compressed_file_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**6))
    with pytest.raises(GanvasError, match="compressed"):
        read_networks(tmp_path / "a.pth")


PARTS = [
    *(
        ["synthesis.b4.const"],
        ["synthesis.input.freqs"],
        ["AggregationLayer.Layer.weight"],
        ["b4.conv.weight", "b4.out.weight"],
    ),
    ["linear.weight", "output_layer.0.gain", "blocks.0.0.conv1.weight", "shared.weight"],
    ["input.input", "conv1.conv.modulation.weight"],
]


@pytest.mark.parametrize("names", PARTS)
def test_parts_of_known_networks_are_refused(tmp_path: Path, names: list[str]) -> None:
    torch.save({name: torch.zeros(2, 2) for name in names}, tmp_path / "a.pth")
    with pytest.raises(GanvasError, match=r"incomplete|no known generator|does not fit|not supported"):
        convert(tmp_path / "a.pth", tmp_path / "run")
    assert not (tmp_path / "run").exists()
    save_file({}, tmp_path / "b.safetensors")
    with pytest.raises(GanvasError, match="holds no known weights"):
        convert(tmp_path / "b.safetensors", tmp_path / "run")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.pkl"], "is not a file"),
        (["plain.pth"], "holds no known generator"),
        (["odd.pth"], "does not fit: it lacks"),
        (["good.pth", "--out", "taken"], "already exists"),
        (["good.pth", "--out", "file"], "already exists"),
    ],
)
def test_what_cannot_be_is_said(
    goldens: Path,
    tmp_path: Path,
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"w": torch.zeros(3)}, "plain.pth")
    held = weights(goldens, "stylegan2_G")
    torch.save(held, "good.pth")
    torch.save({key: value for key, value in held.items() if "noise_strength" not in key}, "odd.pth")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").write_text("")
    (tmp_path / "file").write_text("")
    assert cli.main(["convert", *words]) == 1
    assert message in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == ""


def test_a_converted_run_is_a_run(goldens: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(weights(goldens, "stylegan2_G"), tmp_path / "g.pth")
    run = str(tmp_path / "run")
    assert cli.main(["convert", str(tmp_path / "g.pth"), "--out", run]) == 0
    assert cli.main(["generate", run, "--n", "2", "--truncation", "0.7", "--out", str(tmp_path / "out")]) == 0
    assert cli.main(["mix", run, "--rows", "0-1", "--columns", "2"]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", run]) == 1  # of no data
    assert "unknown-data" in capsys.readouterr().err
    shutil.rmtree(run)
    assert cli.main(["convert"]) == 2


def test_names_are_never_looked_up() -> None:
    """Also one that is known is but a name here."""
    found = pickles.PickleMachine("x", lambda name: True).run_pickle(b"cos\nsystem\n(S'exit 3'\ntR.")
    assert isinstance(found, pickles.PickledObject)
    assert (found.name, found.arguments) == ("os system", ("exit 3",))
