"""Translators: each method's step against plain torch, no generator twice on a source, and resuming with image pools."""

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, l1_loss, mse_loss

from ganvas.configuration import from_json, to_json
from ganvas.core import Architecture, Clock, Method, Nets, Request, Spec
from ganvas.errors import GanvasError, SettingError
from ganvas.losses import (
    R1,
    R2,
    FeatureMatching,
    FiniteDifferenceR1,
    FiniteDifferenceR2,
    LeastSquares,
    PairedFeatureMatching,
    PatchNCE,
    PixelLoss,
    RelativisticPairing,
    WeightedObjective,
)
from ganvas.media import Image
from ganvas.methods import Adversarial, Contrastive, Cycle, ManyDomains, PixelsFirst, Supervised
from ganvas.methods.image_pool import ImagePool
from ganvas.nets import CUT, CycleGAN, ImageToImage, Residual, ResNet, StarGAN
from ganvas.nets.critics import ScalesCritic
from ganvas.nets.translation import draw_places
from ganvas.optim.optimisers import Adam
from ganvas.recipe import Evaluation, Recipe, Train
from ganvas.runs import checkpoint
from ganvas.runs.state import State, build_state
from ganvas.training import loop
from ganvas.training.loop import Loop
from small_recipes import class_condition, image_condition, vector_condition

CPU = torch.device("cpu")
CLOCK = Clock(0, 0, 100)
SHAPE, SIDE = (3, 16, 16), 16
RELATIVISTIC: dict[str, Any] = {
    "objective": RelativisticPairing(),
    "penalties": (FiniteDifferenceR1(), FiniteDifferenceR2()),
}


class Pictures:
    """A data set of random pictures with a source, a mask and a class each; sources are the pictures if `is_own_source`."""

    title, fingerprint, skipped = "pictures", "pictures", 0

    def __init__(self, is_own_source: bool = False, label: Any = None) -> None:
        self.is_own_source = is_own_source
        self.conditions = {"source": image_condition(SHAPE), "label": label or class_condition(3)}
        self.codec = image_condition(SHAPE).codec
        self.columns: dict[str, Tensor] = {}

    @property
    def spec(self) -> Spec:
        return Spec(SHAPE, (), self.conditions)

    def __len__(self) -> int:
        return 10**6

    def batch(self, seed: int, size: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        x, source = (torch.rand(size, *SHAPE, generator=generator) * 2 - 1 for _ in range(2))
        mask = (torch.rand(size, 1, SIDE, SIDE, generator=generator) < 0.3).float()
        label = torch.randint(3, (size,), generator=generator)
        if self.conditions["label"].kind == "vector":
            label = torch.randint(2, (size, self.conditions["label"].size), generator=generator).float()
        return {"x": x, "source": x if self.is_own_source else source, "mask": mask, "label": label}


def build_recipe(nets: Architecture, method: Method, samples: int = 8, **train: Any) -> Recipe:
    names = nets.build(Pictures().spec)
    # an eps of the gradients' size: Adam's first step would be their signs, and noise would show
    optim = {name: Adam(lr=1e-2, betas=(0.5, 0.999), eps=0.1) for name in names}
    budget = replace(Train(batch=4, precision="fp32"), samples=samples, **train)
    data: Any = None
    return Recipe(
        name="test", data=data, medium=Image(), nets=nets, method=method, optim=optim, train=budget, evaluation=Evaluation()
    )


def train(recipe: Recipe, data: Any = None, seed: int = 0, until: int = 10**9, state: State | None = None) -> Any:
    data = data or Pictures()
    state = state or build_state(recipe, data.spec, seed, CPU)
    Loop(recipe, data, state, 0).train_to_budget(lambda now, _: now.clock.samples >= until)
    return state


def build_nets(recipe: Recipe, data: Any) -> Any:
    """The networks as they are before the first step."""
    return build_state(recipe, data.spec, 0, CPU).nets


def seeded_batch(phase: str, size: int = 4, data: Any = None) -> dict[str, Tensor]:
    """The batch of a phase of the first step; the global generators are left as they are at the start of the phase."""
    torch.manual_seed(seed := loop.seed_from(0, 0, phase, 0, 0))
    return (data or Pictures()).batch(loop.seed_from(seed, "data"), size)


def assert_same_weights(ours: nn.Module, plain: nn.Module) -> None:
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def step(nets: Nets, names: str | tuple[str, ...], loss: Tensor) -> None:
    """One step of plain Adam."""
    parameters = [p for name in names for p in nets[name].parameters()]
    optimiser = torch.optim.Adam(parameters, 1e-2, (0.5, 0.999), 0.1)
    nets.zero_grad()
    loss.backward()
    optimiser.step()


SMALL_CYCLE = CycleGAN().smallest()
SMALL_CUT = CUT().smallest()
SMALL_RESIDUAL_CUT = replace(SMALL_CUT, generator=Residual(generator=SMALL_CUT.generator))
SMALL_STAR = StarGAN(width=2, blocks=1, d_width=2, d_levels=2)
SMALL_PAIRS = ImageToImage(generator=ResNet(width=2, halvings=1, blocks=1), critic=ImageToImage().critic).smallest()
METHODS: dict[str, tuple[Architecture, Method, bool]] = {
    "pairs": (SMALL_PAIRS, Adversarial(share_fakes=True, auxiliary_losses=(PixelLoss(),)), False),
    "pairs with lazy penalties": (SMALL_PAIRS, Adversarial(share_fakes=True, penalties=(R1(every=2), R2(every=2))), False),
    "pixels": (replace(SMALL_PAIRS, critic=None), Supervised(), False),
    "pixels first": (SMALL_PAIRS, PixelsFirst(share=0.5), False),
    "cycle": (SMALL_CYCLE, Cycle(pool=3), False),
    "cycle, relativistic": (SMALL_CYCLE, Cycle(pool=0, **RELATIVISTIC), False),
    "contrastive": (SMALL_CUT, Contrastive(), False),
    "contrastive, from the source": (SMALL_RESIDUAL_CUT, Contrastive(), False),
    "contrastive, fast": (SMALL_CUT, Contrastive(contrast=PatchNCE(weight=10.0), identity=0.0, flips=True), False),
    "contrastive, relativistic": (SMALL_CUT, Contrastive(game=Adversarial(share_fakes=True, **RELATIVISTIC)), False),
    "many domains": (SMALL_STAR, ManyDomains(critic_steps=2), True),
    "many domains, relativistic": (SMALL_STAR, ManyDomains(critic_steps=1, share_fakes=True, **RELATIVISTIC), True),
}


@pytest.mark.parametrize("name", METHODS)
def test_contract(name: str) -> None:
    """It is kept in JSON, every network learns, and sampling asks for the sources that it translates."""
    nets, method, is_own_source = METHODS[name]
    assert from_json(to_json(method)) == method
    data = Pictures(is_own_source)
    recipe = build_recipe(nets, method, samples=16)
    before = build_state(recipe, data.spec, 0, CPU).nets
    state = train(recipe, data)
    for network in recipe.optim:
        pairs = zip(before[network].parameters(), state.nets[network].parameters(), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs)
    assert all(p.isfinite().all() for p in state.nets.parameters())
    traits = method.traits(state.nets)
    assert traits.conditions[0] == "source"
    assert traits.latent is None
    source = torch.rand(SHAPE)
    latents = method.draw_latents(state.nets, 2, torch.Generator(), Request({"source": source, "label": torch.tensor(1)}))
    assert torch.equal(latents["source"], source.expand(2, *SHAPE))
    assert method.render(state.nets, latents).shape == (2, *SHAPE)


def count_runs(network: nn.Module, runs: list[Tensor]) -> None:
    """Remember every start of a generator, in whichever way it runs."""
    inner: Any = getattr(network, "net", network)  # of a generator around another
    if hasattr(inner, "_run"):
        run = inner._run
        inner._run = lambda h, *rest, **more: (runs.append(h.detach().clone()), run(h, *rest, **more))[1]

    def remember(_: nn.Module, given: Any, named: Any) -> None:
        runs.append((*given, *named.values())[0].detach().clone())

    network.register_forward_pre_hook(remember, with_kwargs=True)


@pytest.mark.parametrize("name", METHODS)
def test_no_generator_runs_on_a_source_twice_in_a_step(name: str) -> None:
    nets, method, is_own_source = METHODS[name]
    recipe, data = build_recipe(nets, method, samples=4), Pictures(is_own_source)
    state = build_state(recipe, data.spec, 0, CPU)
    runs: dict[str, list[Tensor]] = {name: [] for name in ("G", "G_reverse") if name in state.nets}
    for parameter in state.nets.parameters():
        if not parameter.any():  # a change of 0 would give the source itself again
            nn.init.normal_(parameter, std=0.1)
    for generator, starts in runs.items():
        count_runs(state.nets[generator], starts)
    train(recipe, data, state=state)
    for starts in runs.values():
        pictures = [picture.numpy().tobytes() for start in starts for picture in start]
        assert pictures
        assert len(pictures) == len(set(pictures))


# ---------------------------------------------------------------- each method's step, written out


def test_a_step_of_pix2pix_equals_plain_torch() -> None:
    """With share_fakes G steps first; D judges the same fakes and sees the sources."""
    method = Adversarial(auxiliary_losses=(PixelLoss(weight=100.0),), share_fakes=True)
    recipe = build_recipe(SMALL_PAIRS, method, samples=4)
    ours = train(recipe)
    nets = build_nets(recipe, Pictures())
    G, D = nets["G"], nets["D"]
    batch = seeded_batch("G")
    x, source = batch["x"], batch["source"]
    bce = nn.functional.binary_cross_entropy_with_logits
    fake = G(source)
    logits = D(fake, source=source).logits
    step(nets, "G", bce(logits, torch.ones_like(logits)) + 100 * l1_loss(fake, x))
    real, judged = D(x, source=source).logits, D(fake.detach(), source=source).logits
    step(nets, "D", bce(real, torch.ones_like(real)) + bce(judged, torch.zeros_like(judged)))
    assert_same_weights(ours.nets, nets)


def test_a_step_of_cyclegan_equals_plain_torch() -> None:
    """The authors' order and weights; the pools are empty, so critics see the fakes themselves."""
    recipe = build_recipe(SMALL_CYCLE, Cycle(), samples=4)
    ours = train(recipe)
    nets = build_nets(recipe, Pictures())
    G, F, D, E = (nets[name] for name in ("G", "G_reverse", "D", "D_reverse"))
    batch = seeded_batch("G")
    a, b = batch["source"], batch["x"]
    fake_b, fake_a = G(a), F(b)
    ones = torch.ones_like(D(b).logits)
    adversarial = mse_loss(D(fake_b).logits, ones) + mse_loss(E(fake_a).logits, ones)
    cycle = 10 * l1_loss(F(fake_b), a) + 10 * l1_loss(G(fake_a), b)
    identity = 5 * l1_loss(G(b), b) + 5 * l1_loss(F(a), a)
    step(nets, ("G", "G_reverse"), adversarial + cycle + identity)
    fake_a, fake_b = fake_a.detach(), fake_b.detach()
    of_d = mse_loss(D(b).logits, ones) + mse_loss(D(fake_b).logits, 0 * ones)
    of_e = mse_loss(E(a).logits, ones) + mse_loss(E(fake_a).logits, 0 * ones)
    step(nets, ("D", "D_reverse"), 0.5 * of_d + 0.5 * of_e)
    assert_same_weights(ours.nets, nets)
    assert torch.equal(ours.nets["pool"].fakes[:4], fake_b)
    assert torch.equal(ours.nets["pool_reverse"].fakes[:4], fake_a)
    assert ours.nets["pool"].count == 4


def test_a_step_of_cut_equals_plain_torch() -> None:
    """As the authors have it: source and x go through G together, and queries come from a pass of their own."""
    recipe = build_recipe(SMALL_CUT, Contrastive(contrast=PatchNCE(patches=8)), samples=4)
    ours = train(recipe)
    nets = build_nets(recipe, Pictures())
    G, D, H = (nets[name] for name in "GDH")
    batch = seeded_batch("G")
    a, b = batch["source"], batch["x"]
    starts = torch.cat([a, b])
    results = G(starts)
    fake = results[:4]
    keys, queries = (G.extract_features(pictures, H.names) for pictures in (starts, results))
    places = draw_places(queries, 8)
    key_points, query_points = (H(f, places) for f in (keys, queries))
    losses = []
    for name in H.names:
        scores = query_points[name] @ key_points[name].detach().transpose(1, 2) / 0.07
        losses.append(cross_entropy(scores.flatten(0, 1), torch.arange(8).repeat(8), reduction="none").view(8, 8).mean(1))
    contrast = torch.stack(losses).mean(0)
    ones = torch.ones_like(D(b).logits)
    step(nets, ("G", "H"), mse_loss(D(fake).logits, ones) + contrast[:4].mean() + contrast[4:].mean())
    fake = fake.detach()
    step(nets, "D", 0.5 * (mse_loss(D(b).logits, ones) + mse_loss(D(fake).logits, 0 * ones)))
    assert_same_weights(ours.nets, nets)


@pytest.mark.parametrize("kind", ["class", "vector"])
def test_a_step_of_stargan_equals_plain_torch(kind: str) -> None:
    data = Pictures(is_own_source=True, label=class_condition(3) if kind == "class" else vector_condition(3))
    recipe = build_recipe(SMALL_STAR, ManyDomains(critic_steps=1), samples=4)
    ours = train(recipe, data)
    nets = build_nets(recipe, data)
    G, D = nets["G"], nets["D"]

    def classify(features: Tensor, label: Tensor) -> Tensor:
        if kind == "class":
            return cross_entropy(D.classify(features), label)
        return nn.functional.binary_cross_entropy_with_logits(D.classify(features), label, reduction="sum") / len(label)

    batch = seeded_batch("D", data=data)
    x, label = batch["x"], batch["label"]
    fake = G(source=x, label=label[torch.randperm(4)]).detach()
    real = D(x)
    epsilon = torch.rand(4, 1, 1, 1)
    between = (epsilon * x + (1 - epsilon) * fake).requires_grad_()
    value = D(between).logits.flatten(1).mean(1)  # the authors' code takes the sum of patches; see decision 0011
    (gradient,) = torch.autograd.grad(value.sum(), between, create_graph=True)
    penalty = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
    loss = D(fake).logits.mean() - real.logits.mean() + classify(real.features, label) + 10 * penalty
    step(nets, "D", loss)

    batch = seeded_batch("G", data=data)
    x, label = batch["x"], batch["label"]
    wanted = label[torch.randperm(4)]
    fake = G(source=x, label=wanted)
    judged = D(fake)
    back = G(source=fake, label=label)
    step(nets, "G", -judged.logits.mean() + classify(judged.features, wanted) + 10 * l1_loss(back, x))
    assert_same_weights(ours.nets, nets)


# ---------------------------------------------------------------- stages, pools, resuming


def test_pixels_come_first_and_the_game_starts_with_a_fresh_optimiser() -> None:
    method = PixelsFirst(share=0.5, start=Supervised(losses=(PixelLoss(weight=1.0, kind="mse"),)))
    recipe = build_recipe(SMALL_PAIRS, method, samples=16)
    half, first = train(recipe, until=8), build_state(recipe, Pictures().spec, 0, CPU)
    assert_same_weights(half.nets["D"], first.nets["D"])
    assert half.stage_name == "supervised"
    alone = train(build_recipe(SMALL_PAIRS, method.start, samples=8))
    assert_same_weights(half.nets["G"], alone.nets["G"])
    before = half.optims["G"]
    whole = train(recipe, state=half)
    assert whole.stage_name == "adversarial"
    assert whole.optims["G"] is not before
    assert next(iter(whole.optims["G"].state.values()))["step"] == 2
    assert any(not torch.equal(a, b) for a, b in zip(whole.nets["D"].parameters(), first.nets["D"].parameters(), strict=True))


def query_plainly(pool: list[Tensor], size: int, images: Tensor, choices: list[int]) -> Tensor:
    """CycleGAN's ImagePool.query; a choice is the slot to swap with, or -1 for none."""
    shown = []
    for image, choice in zip(images, choices, strict=True):
        if len(pool) < size:
            pool.append(image)
            shown.append(image)
        elif choice >= 0:
            shown.append(pool[choice].clone())
            pool[choice] = image
        else:
            shown.append(image)
    return torch.stack(shown)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_the_pool_follows_the_authors_rule(size: int) -> None:
    """Batch by batch, with fakes that leave in the batch in which they came."""
    pool, plain, random_state = ImagePool(size, (1,)), list[Tensor](), random.Random(0)
    for k in range(40):
        images = torch.arange(5.0)[:, None] + 100 * k
        slots = [random_state.randrange(size) if random_state.random() < 0.5 else -1 for _ in range(5)]
        shown = pool.replace_some(images, torch.tensor(slots))
        pool.store(images, torch.tensor(slots))
        assert torch.equal(shown, query_plainly(plain, size, images, slots))
        assert torch.equal(pool.fakes[: len(plain)], torch.stack(plain))
        assert pool.count == len(plain) == int(pool.saved_count)


def test_half_of_the_fakes_are_swapped_for_any_slot() -> None:
    torch.manual_seed(0)
    slots = ImagePool(4, (1,)).draw_slots(40_000)
    shares = torch.bincount(slots + 1, minlength=5) / 40_000
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.125, 0.125, 0.125, 0.125]), atol=0.01, rtol=0)


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("name", METHODS)
def test_resumed_equals_uninterrupted_bit_for_bit(name: str, accumulate: int, tmp_path: Path) -> None:
    nets, method, is_own_source = METHODS[name]
    recipe = build_recipe(nets, method, samples=24, accumulate=accumulate, ema_kimg=0.01)
    data = Pictures(is_own_source)
    straight = train(recipe, data)
    checkpoint.save_checkpoint(tmp_path / "000000012", train(recipe, data, until=12))
    second = build_state(recipe, data.spec, 1, CPU)  # another seed: everything has to come from the checkpoint
    checkpoint.load_checkpoint(tmp_path / "000000012", second)
    train(recipe, data, state=second)
    assert second.clock == straight.clock
    for module in ("nets", "average"):
        resumed, uninterrupted = (getattr(state, module).state_dict() for state in (second, straight))
        for key, value in uninterrupted.items():
            assert torch.equal(resumed[key], value)


def test_a_full_pool_shows_past_fakes() -> None:
    recipe = build_recipe(SMALL_CYCLE, Cycle(pool=4), samples=80)
    state = train(recipe)
    pool = state.nets["pool"]
    assert pool.count == 4
    fakes = pool.fakes.clone()
    torch.manual_seed(3)
    batch = Pictures().batch(0, 8)
    turn = recipe.method.play_generators(state.nets, batch, CLOCK)  # type: ignore[attr-defined]
    shown: list[Tensor] = []

    def remember(_: nn.Module, given: Any) -> None:
        shown.append(given[0])

    state.nets["D"].register_forward_pre_hook(remember)
    recipe.method.play_critics(state.nets, {**batch, **turn.statistics}, CLOCK)  # type: ignore[attr-defined]
    old = [x for x in shown[1] if any(torch.equal(x, fake) for fake in fakes)]
    new = [x for x in shown[1] if any(torch.equal(x, fake) for fake in turn.statistics["fake"])]
    assert old
    assert new
    assert len(old) + len(new) == 8


def test_the_way_back_and_its_error() -> None:
    method = Cycle()
    nets: Any = SMALL_CYCLE.build(Pictures().spec)
    assert method.traits(nets).reverse_generator == "G_reverse"
    assert method.averaged_networks == ("G", "G_reverse")
    batch = Pictures().batch(0, 3)
    with torch.no_grad():
        back = nets["G"](nets["G_reverse"](batch["x"]))
        assert torch.equal(method.reconstruct(nets, batch), back)
        torch.testing.assert_close(method.measure_cycle_error(nets, batch), (back - batch["x"]).abs().mean((1, 2, 3)))


def test_mirrored_batches_compare_mirrored_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """With FastCUT's flips, queries of a mirrored batch are mirrored back to the places of the keys."""
    method = Contrastive(identity=0.0, flips=True, contrast=PatchNCE(patches=6))
    nets: Any = SMALL_CUT.build(Pictures().spec)
    source = Pictures().batch(0, 2)["source"]
    for toss, is_flipped in ((0.2, True), (0.8, False)):
        monkeypatch.setattr(torch, "rand", lambda *_, toss=toss: torch.tensor(toss))
        torch.manual_seed(5)
        results, loss = method.translate(nets, source)
        G, H = nets["G"], nets["H"]
        plain = G(source.flip(3)) if is_flipped else G(source)
        torch.testing.assert_close(results, plain)
        queries, keys = G.extract_features(plain, H.names), G.extract_features(source, H.names)
        torch.manual_seed(5)
        places = draw_places(queries, 6)
        mirrored = {name: value.flip(3) if is_flipped else value for name, value in queries.items()}
        torch.testing.assert_close(loss, method.contrast(H(mirrored, places), H(keys, places)))


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("nets", "method", "spec", "words"),
    [
        (SMALL_PAIRS, Cycle(), Pictures().spec, "two generators and two critics"),
        (SMALL_PAIRS, Contrastive(), Pictures().spec, "take the networks CUT"),
        (SMALL_PAIRS, ManyDomains(), Pictures().spec, "take the networks StarGAN"),
        (SMALL_STAR, ManyDomains(), Spec(SHAPE, (), {"label": class_condition(3)}), "ManyDomains translates sources"),
    ],
)
def test_data_and_networks_that_do_not_fit_are_refused(nets: Any, method: Method, spec: Spec, words: str) -> None:
    with pytest.raises(GanvasError, match=words):
        method.state(spec, nets.build(spec))


@pytest.mark.parametrize(("nets", "method"), [(SMALL_CYCLE, Cycle()), (SMALL_CUT, Contrastive())])
def test_the_identity_term_needs_sources_like_samples(nets: Any, method: Any) -> None:
    spec = Spec(SHAPE, (), {"source": image_condition((1, SIDE, SIDE))})
    with pytest.raises(GanvasError, match="set identity=0"):
        method.state(spec, nets.build(spec))
    replace(method, identity=0.0).state(spec, nets.build(spec))


@pytest.mark.parametrize("method", [Cycle, ManyDomains])
def test_penalties_run_in_every_step(method: Any) -> None:
    with pytest.raises(GanvasError, match=f"{method.__name__}'s penalties run in every step: set every=1 on R1"):
        method(penalties=(R1(every=4),))
    with pytest.raises(GanvasError, match="must not repeat a type"):
        method(penalties=(R1(), R1(gamma=2.0)))


def test_settings_out_of_range_are_refused() -> None:
    makers: Mapping[str, Any] = {
        "share": lambda: PixelsFirst(share=1.0),
        "pool": lambda: Cycle(pool=-1),
        "cycle": lambda: Cycle(cycle=-1.0),
        "identity": lambda: Contrastive(identity=-1.0),
        "game.share_fakes": lambda: Contrastive(game=Adversarial()),
        "critic_steps": lambda: ManyDomains(share_fakes=True),
        "weight": lambda: WeightedObjective(weight=-1.0),
    }
    for field, make in makers.items():
        with pytest.raises(SettingError, match=field):
            make()


def test_losses_on_critics_are_refused_where_there_is_none() -> None:
    recipe = build_recipe(replace(SMALL_PAIRS, critic=None), Supervised(losses=(FeatureMatching(),)), samples=4)
    with pytest.raises(GanvasError, match="take Adversarial"):
        train(recipe)
    with pytest.raises(GanvasError, match="take PixelLoss"):
        Supervised(losses=())


def test_pix2pixhd_matches_all_layers_of_all_scales() -> None:
    """Its loss by D's features equals eq. 4 on the maps of the layers."""
    nets: Any = ImageToImage(generator=ResNet(width=2, halvings=1, blocks=1), critic=ScalesCritic(width=2, halvings=1)).build(
        Pictures().spec
    )
    method = Adversarial(objective=LeastSquares(), auxiliary_losses=(PairedFeatureMatching(weight=10.0),))
    batch, D = Pictures().batch(0, 3), nets["D"]
    term = method.play_g(nets, batch, CLOCK).terms["G/PairedFeatureMatching"]
    real, fake = (torch.cat([batch["source"], x], 1) for x in (batch["x"], nets["G"](batch["source"])))
    expected = torch.zeros(3)
    for k, layers in enumerate(D.scales):
        if k:
            real, fake = (nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False) for x in (real, fake))
        for a, b in zip(layers(real)[:-1], layers(fake)[:-1], strict=True):
            expected = expected + 10 / len(D.scales) * (a - b).abs().mean((1, 2, 3))
    torch.testing.assert_close(term, expected)
