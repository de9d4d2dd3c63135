"""Several things at once: what is stored, what is asked for, and what G keeps."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pytest
import torch
from PIL import Image as Pillow

from ganvas.core import Field, Spec, Traits
from ganvas.data import DescribedPictures
from ganvas.errors import GanvasError
from ganvas.media import Together, TogetherCodec
from ganvas.methods import Adversarial
from ganvas.methods.adversarial import Request
from ganvas.nets import Projected, TogetherNets
from ganvas.recipes import find_recipe
from ganvas.recipes.choosing.by_parts import drop_idle_critics
from ganvas.runs.state import build_state
from ganvas.sampling.generator import parse_conditions
from ganvas.training.tasks import choose_columns, choose_parts
from small_recipes import noise, small, small_described_pictures

TRAITS = Traits(conditions=("known",))


@pytest.fixture(scope="module")
def codec() -> TogetherCodec:
    return Together().fit(small_described_pictures())


@pytest.fixture(scope="module")
def stored(codec: TogetherCodec) -> torch.Tensor:
    items = small_described_pictures()
    return torch.from_numpy(np.stack([codec.encode(items[k]) for k in range(len(items))]))


def test_x_is_the_picture_then_the_class(codec: TogetherCodec, stored: torch.Tensor) -> None:
    x, items = codec.load(stored, None), small_described_pictures()
    assert [field.shape for field in codec.spec.fields] == [(1, 8, 8), ()]
    expected = torch.from_numpy(np.stack([items[k]["image"] for k in range(len(items))])).float() / 127.5 - 1
    torch.testing.assert_close(x[:, :64].view(-1, 8, 8), expected)
    assert torch.equal(x[:, 64:].argmax(1), torch.arange(len(items)) % 3)


def test_some_columns_are_known_and_never_all(codec: TogetherCodec, stored: torch.Tensor) -> None:
    many = stored.repeat(50, 1)
    batch = codec.load_columns({"x": many}, torch.Generator().manual_seed(0))
    picture, label = batch["known"][:, 1, 0], batch["known"][:, 1, -1]
    assert not ((picture > 0) & (label > 0)).any()
    for marks in (picture, label):  # 0.3 of the samples know one of two columns
        assert marks.mean() == pytest.approx(0.15, abs=0.03)
    assert not codec.load_columns({"x": stored}, None)["known"].any()


def test_what_is_known_comes_out_as_it_is(codec: TogetherCodec, stored: torch.Tensor) -> None:
    G: Any = TogetherNets(picture=Projected().smallest(), width=4).build(codec.spec)["G"]
    known = codec.load_columns({"x": stored}, torch.Generator().manual_seed(0))["known"]
    x = G(torch.randn(len(stored), G.z_dim), known=known)
    is_known = known[:, 1] > 0
    assert is_known.any()
    assert torch.equal(x[is_known], known[:, 0][is_known])
    assert torch.equal(x[:, 64:].sum(1), torch.ones(len(x)))  # one class each


def test_pictures_follow_from_words_and_not_from_what_drew_them(codec: TogetherCodec) -> None:
    G: Any = TogetherNets(picture=Projected().smallest(), width=4).build(codec.spec)["G"].eval()
    z = torch.randn(8, G.z_dim)
    other = z.clone()
    other[:, : G.z_sizes[0] + G.z_sizes[1]] = torch.randn(8, G.z_sizes[0] + G.z_sizes[1])
    request = codec.spec.conditions["known"].parse("class=gray")
    known = codec.spec.conditions["known"].draw_within(request, 8, None)  # type: ignore[attr-defined]
    with torch.no_grad():
        assert torch.equal(G(z, known=known), G(other, known=known))


def test_words_are_taught_by_the_fit_only_where_the_picture_is_known(codec: TogetherCodec, stored: torch.Tensor) -> None:
    D = TogetherNets(picture=Projected().smallest(), width=4).build(codec.spec)["D"]
    x = codec.load(stored[:2], None).requires_grad_()
    known = torch.zeros(2, 2, x.shape[1])
    known[1, 1, :64] = 1
    (gradient,) = torch.autograd.grad(D(x, known=known).logits.sum(), x)
    assert not gradient[0, 64:].any()
    assert gradient[1, 64:].any()
    assert gradient[0, :64].any()


def test_noise_on_one_hots_changes_no_verdict(codec: TogetherCodec, stored: torch.Tensor) -> None:
    D = TogetherNets(picture=Projected().smallest(), width=4).build(codec.spec)["D"]
    x = codec.load(stored, None)
    noisy = torch.cat([x[:, :64], x[:, 64:] + 0.1 * torch.randn(len(x), 3)], 1)
    other_class = torch.cat([x[:, :64], x[:, 64:].roll(1, 1)], 1)
    with torch.no_grad():
        torch.testing.assert_close(D(noisy).logits, D(x).logits, atol=1e-6, rtol=1e-5)
        assert not torch.allclose(D(other_class).logits, D(x).logits)


def test_shares_of_values_are_measured_against_the_data(codec: TogetherCodec) -> None:
    """0 at the start, whose head has the data's shares; then KL(data ‖ (1/2, 1/4, 1/4)) in closed form."""
    G: Any = TogetherNets(picture=Projected().smallest(), width=4).build(codec.spec)["G"]
    assert G.measure_shares(5).item() == pytest.approx(0.0, abs=1e-6)
    with torch.no_grad():
        G.row.bias.copy_(torch.tensor([0.5, 0.25, 0.25]).log()[G.fields.grouped])
    data = np.array(codec.spec.fields[1].shares)
    expected = (data * np.log(data / [0.5, 0.25, 0.25])).sum()
    assert G.measure_shares(5).item() == pytest.approx(expected, abs=1e-6)


def test_words_have_proper_scores(codec: TogetherCodec, stored: torch.Tensor) -> None:
    """A row of the data's shares costs its entropy, with a picture known and with a sentence; a sentence its distance."""
    fields = (*codec.spec.fields, Field("caption", 4, "continuous", shape=(4,)))
    G: Any = TogetherNets(picture=Projected().smallest(), width=4).build(codec.spec._replace(shape=(71,), fields=fields))["G"]
    told = torch.tensor([1.0, 2.0, 3.0, 4.0])
    x = torch.cat([codec.load(stored, None), told.expand(len(stored), 4)], 1)
    shares = torch.tensor(codec.spec.fields[1].shares)
    costs = -shares.log()[x[:, 64:67].argmax(1)]
    torch.testing.assert_close(G.measure_naming(x), costs.repeat(2))
    with torch.no_grad():
        G.sentence[-1].weight.zero_()
        G.sentence[-1].bias.zero_()
    torch.testing.assert_close(G.measure_telling(x), torch.full((len(x),), 30**0.5 / 2))
    torch.testing.assert_close(G.measure_scores(x), costs.mean() + 30**0.5 / 2)
    assert G.measure_scores(x).requires_grad


def test_columns_without_a_row_or_a_sentence_have_fewer_scores(codec: TogetherCodec, stored: torch.Tensor) -> None:
    G: Any = TogetherNets(picture=Projected().smallest(), width=4).build(codec.spec)["G"]
    assert G.measure_telling(codec.load(stored, None)) is None
    alone = codec.spec._replace(shape=(64,), fields=codec.spec.fields[:1])
    assert TogetherNets(picture=Projected().smallest(), width=4).build(alone)["G"].measure_scores(torch.zeros(2, 64)) is None  # type: ignore[operator]


@pytest.mark.parametrize("wish", [{"class": "gray"}, {"class": "1"}, {"class": "gray|gray"}])
def test_a_class_is_asked_for_by_name_or_number(codec: TogetherCodec, wish: dict[str, str]) -> None:
    values = parse_conditions(wish, codec.spec, TRAITS)
    known = codec.spec.conditions["known"].draw_within(values["known"], 5, None)  # type: ignore[attr-defined]
    assert torch.equal(known[:, 0, 64:], torch.tensor([0.0, 1.0, 0.0]).expand(5, 3))
    assert torch.equal(known[:, 1].sum(1), torch.full((5,), 3.0))


def test_a_picture_is_asked_for_by_its_file(codec: TogetherCodec, tmp_path: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Pillow.fromarray(pixels).save(tmp_path / "one=1.png")
    values = parse_conditions({"image": str(tmp_path / "one=1.png")}, codec.spec, TRAITS)
    known = codec.spec.conditions["known"].draw_within(values["known"], 2, None)  # type: ignore[attr-defined]
    expected = torch.from_numpy(pixels).float().flatten() / 127.5 - 1
    torch.testing.assert_close(known[:, 0, :64], expected.expand(2, 64))
    assert not known[:, 1, 64:].any()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"class": "blue"}, "no row has class = 'blue'"),
        ({"hue": "blue"}, "without hue"),
        ({"image": "nosuch.png"}, "cannot be read"),
    ],
)
def test_wrong_wishes_are_refused(codec: TogetherCodec, wish: dict[str, str], words: str) -> None:
    with pytest.raises(GanvasError, match=words):
        parse_conditions(wish, codec.spec, TRAITS)


def test_files_and_a_table_beside_them(codec: TogetherCodec, stored: torch.Tensor, tmp_path: Path) -> None:
    codec.write(stored[:3], tmp_path, 0, {"Seed": "0"})
    codec.write(stored[3:5], tmp_path, 3, {"Seed": "0"})
    table = pyarrow.csv.read_csv(tmp_path / "attributes.csv")
    assert table.to_pydict() == {
        "file_name": [f"{k:06d}.png" for k in range(5)],
        "class": ["dark", "gray", "light", "dark", "gray"],
    }
    assert all((tmp_path / name).exists() for name in table["file_name"].to_pylist())


def test_samples_of_a_request_all_hold_it() -> None:
    recipe = small(find_recipe("together"))
    data = noise(recipe)
    nets = build_state(recipe, data.spec, 0, torch.device("cpu")).nets
    request = Request(parse_conditions({"class": "light"}, data.spec, TRAITS))
    assert isinstance(recipe.method, Adversarial)
    latents = recipe.method.draw_latents(nets, 50, torch.Generator().manual_seed(0), request)
    samples = data.codec.store(recipe.method.render(nets.eval(), latents))
    assert set(data.codec.decode(samples)["class"].to_pylist()) == {"light"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("names", ["image", "image,hue", "image,image", ""])
def test_columns_that_do_not_go_together_are_refused(names: str) -> None:
    with pytest.raises(GanvasError, match="--together"):
        choose_parts(find_recipe("together"), names)


def test_other_recipes_make_one_thing() -> None:
    with pytest.raises(GanvasError, match="one thing at a time"):
        choose_parts(find_recipe("auto"), "image,class")


def write_pictures(folder: Path, texts: str = "") -> Path:
    folder.mkdir()
    for k in range(8):
        Pillow.fromarray(np.full((8, 8, 3), 30 * k, np.uint8)).save(folder / f"{k}.png")
    if texts:
        (folder / "captions.csv").write_text(texts)
    return folder


@pytest.mark.parametrize(("columns", "words"), [(("image", "class"), "no classes"), (("image", "attributes"), "no attributes")])
def test_pictures_that_lack_a_column_are_refused(tmp_path: Path, columns: tuple[str, ...], words: str) -> None:
    with pytest.raises(GanvasError, match=words):
        DescribedPictures(path=str(write_pictures(tmp_path / "a")), columns=columns).items((".png",))


def test_captions_and_their_further_columns(tmp_path: Path) -> None:
    rows = "".join(f"{k}.png,picture number {k},{'dark' if k < 4 else 'light'}\n" for k in range(8))
    folder = write_pictures(tmp_path / "a", "file_name,text,shade\n" + rows)
    items = DescribedPictures(path=str(folder), columns=("image", "attributes", "caption")).items((".png",))
    assert items.column_names == ("image", "shade", "caption")
    assert not any("networks do not see" in note for note in items.notes), "these networks see attributes"
    assert (items[5]["shade"], items[5]["caption"]) == ("light", "picture number 5")
    assert items[5]["image"] == (folder / "5.png").read_bytes()


def test_the_spec_of_other_samples_is_refused() -> None:
    with pytest.raises(GanvasError, match="choose another recipe"):
        TogetherNets().build(Spec((1, 8, 8), (), {}))


def test_columns_without_a_picture_or_without_words_have_no_idle_critics() -> None:
    recipe = find_recipe("together")
    pictures, words = drop_idle_critics(recipe, True, False), drop_idle_critics(recipe, False, True)
    assert set(pictures.optim) == {"G", "D", "D_features"}
    assert set(words.optim) == {"G", "D"}
    assert drop_idle_critics(recipe, True, True) == recipe
    chosen = choose_columns(recipe, None, None, None, None, "attributes,caption")
    assert (chosen.method, chosen.optim) == (words.method, words.optim)
