"""Samples of a class that is asked for: generating, truncating, scoring class by class."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ganvas import api, cli, recipes
from ganvas.core import Features, Request
from ganvas.data import Files
from ganvas.data.conditions import name_distinctly
from ganvas.errors import GanvasError
from ganvas.evaluation.features import select_features
from ganvas.methods import Adversarial
from ganvas.nets import MLP, Concatenation
from ganvas.sampling.generator import Sampler, parse_conditions
from ganvas.sampling.stream import draw_samples, recalibrate_batch_norm
from small_recipes import IMAGE8, class_condition, small, vector_condition


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Trained on squares that are black, gray or white by class; long enough to be told apart."""
    place = tmp_path_factory.mktemp("shades")
    for k, name in enumerate(("black", "gray", "white")):
        (place / "data" / name).mkdir(parents=True)
        for i in range(160):
            shade = np.clip(127 * k + np.random.default_rng(i).integers(-9, 10, (8, 8)), 0, 255)
            Image.fromarray(shade.astype(np.uint8)).save(place / "data" / name / f"{i}.png")
    recipe = small(recipes.find_recipe("cgan"), samples=16_000, batch=32)
    nets = Concatenation(nets=MLP(z_dim=4, g_hidden=(32,), d_hidden=(32,), batch_norm=False))
    medium = replace(recipe.medium, size=8)  # type: ignore[type-var]
    adam = {name: replace(optim, lr=2e-3) for name, optim in recipe.optim.items()}  # type: ignore[type-var]
    recipe = replace(recipe, nets=nets, medium=medium, optim=adam, data=Files(path=str(place / "data")))
    recipe = replace(recipe, evaluation=replace(recipe.evaluation, samples=240, snapshot_samples=20))
    return api.train(recipe, out=place / "run", quiet=True)


def test_a_label_is_heard(run: Any) -> None:
    means = [run.generate(32, conditions={"label": name}).mean() for name in ("black", "gray", "white")]
    assert means[0] + 40 < means[1] < means[2] - 40
    assert np.array_equal(run.generate(8, conditions={"label": "white"}), run.generate(8, conditions={"label": "2"}))
    assert np.array_equal(run.generate(8, conditions={"label": "white"}), run.generate(8, conditions={"label": "White"}))
    assert np.array_equal(
        run.generate(8, conditions={"label": "white"}, seed=3)[:2], run.generate(2, conditions={"label": "white"}, seed=3)
    )


def test_each_class_is_scored_by_itself(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    card = api.evaluate(run, per_class=True)
    assert set(card["per_class"]) == {"black", "gray", "white"}
    for found in card["per_class"].values():
        assert 50 <= found["samples"] <= 80
        assert found["scores"].keys() == found["floor"].keys() == card["scores"].keys()
        assert found["scores"]["frechet"] >= 0
    assert cli.main(["evaluate", str(run.path), "--per-class"]) == 0
    assert "black" in capsys.readouterr().out
    with pytest.raises(GanvasError, match="--n 300"):  # before anything is scored
        api.evaluate(run, n=60, per_class=True)


def test_a_wall_has_a_row_a_class(run: Any) -> None:
    with Image.open(run.path / "exhibits" / "classes.png") as picture:
        values = np.asarray(picture.convert("L"), dtype=float)
    rows = [part.mean() for part in np.array_split(values, 3)]
    assert rows[0] < rows[1] < rows[2]


def test_files_say_which_label(run: Any, tmp_path: Path) -> None:
    assert (
        cli.main(["generate", str(run.path), "--n", "2", "--label", "gray", "--truncation", "0.5", "--out", str(tmp_path)]) == 0
    )
    with Image.open(tmp_path / "000000.png") as picture:
        assert "label gray, truncation 0.5" in picture.text["Source"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("label", "said"), [("whit", "white"), ("3", "black or gray or white"), ("-1", "label: there is no class")]
)
def test_an_unknown_label_is_refused_with_those_there_are(run: Any, label: str, said: str) -> None:
    with pytest.raises(GanvasError, match=said):
        run.generate(1, conditions={"label": label})


def test_of_two_classes_of_one_name_the_number_is_asked_for() -> None:
    names = ("whooping", "crane", "Crane", "crane", "bus")
    condition = class_condition(5, names)
    spec = IMAGE8._replace(conditions={"label": condition})
    traits = Adversarial().traits(Concatenation(nets=MLP()).build(spec))
    with pytest.raises(GanvasError, match=r"^label: 2 of 5 classes are called 'crane': give its number, 1 or 3$"):
        parse_conditions({"label": "crane"}, spec, traits)
    with pytest.raises(GanvasError, match=r"^label: 3 of 5 classes are called 'CRANE': give its number, 1 or 2 or 3$"):
        parse_conditions({"label": "CRANE"}, spec, traits)
    assert [int(parse_conditions({"label": word}, spec, traits)["label"]) for word in ("Crane", "3", "BUS")] == [2, 3, 4]
    numbers = IMAGE8._replace(conditions={"label": class_condition(3, ("7", "7", "8"))})
    with pytest.raises(GanvasError, match="2 of 3 classes are called '7': rename them in the data"):
        parse_conditions({"label": "7"}, numbers, traits)
    assert condition.describe() == "5 classes: whooping, crane 1, Crane, crane 3, bus"
    assert [name_distinctly(condition, k) for k in range(5)] == ["whooping", "crane 1", "Crane", "crane 3", "bus"]
    assert name_distinctly(class_condition(2), 1) == "1"


def test_vectors_are_asked_for_by_their_numbers() -> None:
    spec = IMAGE8._replace(conditions={"label": vector_condition(2, ("round", "size"), examples=((0.0, 1.0),))})
    nets = Concatenation(nets=MLP()).build(spec)
    traits = Adversarial().traits(nets)
    assert parse_conditions({"label": "1,0.5"}, spec, traits)["label"].tolist() == [1.0, 0.5]
    for wrong in ("1", "a,b", "1,2,3"):
        with pytest.raises(GanvasError, match=r"label: .*round, size.*0,0"):
            parse_conditions({"label": wrong}, spec, traits)
    nets.update(dict(Adversarial().state(spec, nets).items()))
    assert Adversarial().draw_latents(nets, 5, torch.Generator())["label"].tolist() == [[0.0, 1.0]] * 5
    asked = Adversarial().draw_latents(nets, 5, torch.Generator(), Request({"label": torch.tensor([3.0, 4.0])}))
    assert asked["label"].tolist() == [[3.0, 4.0]] * 5


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_truncated_latents_stay_within(run: Any, prior: Any) -> None:
    nets = MLP(z_dim=50).build(IMAGE8)
    z = Adversarial(prior=prior).draw_latents(nets, 400, torch.Generator().manual_seed(0), Request(truncation=0.5))["z"]
    assert z.abs().max() <= 0.5
    assert z.abs().max() > 0.49
    for wrong in (0.0, -1.0):
        with pytest.raises(GanvasError, match="--truncation"):
            Sampler(run, truncation=wrong)


def test_standing_statistics_are_those_of_truncated_samples() -> None:
    torch.manual_seed(0)
    nets, method, asked = MLP(z_dim=6, g_hidden=(5,)).build(IMAGE8), Adversarial(), Request(truncation=0.3)
    found = recalibrate_batch_norm(method, nets, 0.3)
    norms = [m for m in found["G"].modules() if isinstance(m, nn.BatchNorm1d)]
    z = torch.cat([method.draw_latents(nets, 64, torch.Generator().manual_seed(i), asked)["z"] for i in range(200)])
    hidden = nn.functional.leaky_relu(nets["G"].layers[0](z), 0.2)  # type: ignore[index, operator]
    torch.testing.assert_close(norms[0].running_mean, hidden.mean(0).detach(), rtol=0, atol=0.02)
    torch.testing.assert_close(norms[0].running_var, hidden.var(0).detach(), rtol=0.15, atol=0.005)
    assert not torch.equal(norms[0].running_mean, nets["G"].layers[2].running_mean)  # type: ignore[index, union-attr, arg-type]
    plain = MLP(batch_norm=False).build(IMAGE8)
    assert recalibrate_batch_norm(method, plain, 0.3) is plain


def test_standing_statistics_do_not_take_the_label_out_again() -> None:
    """Under those of one class alone, batch norm would subtract what the label adds."""
    torch.manual_seed(0)
    spec = IMAGE8._replace(conditions={"label": class_condition(3, (), (1 / 3,) * 3)})
    nets, method = Concatenation(nets=MLP(z_dim=6, g_hidden=(32,))).build(spec), Adversarial()
    nets.update(dict(method.state(spec, nets).items()))
    found = recalibrate_batch_norm(method, nets, 100.0)  # nothing is truncated
    z = torch.randn(4000, 6)
    x = [found["G"].eval()(z, torch.full((4000,), k)).mean(0) for k in range(2)]
    y = [nets["G"].train()(torch.cat([z, z]), torch.arange(8000) // 4000)[4000 * k : 4000 * (k + 1)].mean(0) for k in range(2)]
    assert (x[0] - x[1]).norm() > 0.5 * (y[0] - y[1]).norm()


def test_rows_of_a_class() -> None:
    scored = Features(np.arange(6.0)[:, None], None)
    rows = np.array([0, 1, 0, 1, 1, 2]) == 1
    assert select_features(scored, rows).features[:, 0].tolist() == [1.0, 3.0, 4.0]


def test_sampling_without_a_wish_is_as_before(run: Any) -> None:
    generator = Sampler(run)
    assert torch.equal(generator(5), draw_samples(generator.method, generator.nets, generator.codec, 5, 0))
