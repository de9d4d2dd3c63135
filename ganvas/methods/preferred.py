"""A game whose G also makes what people prefer, near where it started. After Ziegler et al. 2019, section 2.

The game stays on, with its data: it keeps G from samples that please the reward and nobody else.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cache, partial

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ..configuration import config
from ..core import NO_REQUEST, Augment, Batch, Clock, Latents, Method, Nets, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from ..nets.reward import Reward
from .adversarial import Adversarial
from .replay import ReplayRng

REWARD, START = "reward", "start"  # the names of its state among the networks
Loss = Callable[[Nets, Batch, Clock], Turn]


@config
class Preferred:
    """The game's losses, and in G's turn weight·margin·−log σ(gain / margin) + stay·‖G(z) − G₀(z)‖², the mean over values.

    The gain is r(G(z)) − r(G₀(z)), where G₀ is the generator that the run started with, and r the reward of that run's folder.
    Its unit is the deviation of r among the start's samples. The first term is Bradley and Terry's: it pulls at samples that
    lose against G₀'s of the same z, and lets go of those that win by the margin.

    game: the method besides.
    weight: of the first term; larger wins more choices and costs more of the variety.
    margin: the gain from which on the pull fades.
    stay: of the distance from the start, where values lie in [-1, 1].
    view: a random change of both samples, the same one, before the reward sees them. A trick that pleases the reward in one
        place only then pays less.
    subsample: the terms see one z for so many samples of the batch.
    choices: a fingerprint of what the reward was learnt from. With other choices a run is another run.
    """

    game: Method = Adversarial()
    weight: float = 1.0
    margin: float = 0.2
    stay: float = 3.0
    view: Augment | None = None
    subsample: int = 4
    choices: str = ""

    def __post_init__(self) -> None:
        require(0 <= self.weight < 1e6, "weight", self.weight, "0 or more, below 1e6")
        require(0 < self.margin < 1e6, "margin", self.margin, "above 0, below 1e6")
        require(0 <= self.stay < 1e6, "stay", self.stay, "0 or more, below 1e6")
        require(1 <= self.subsample <= 1024, "subsample", self.subsample, "from 1 to 1024")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return self.game.averaged_networks

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        memories = self.game.state(spec, nets)
        generator = self.game.traits(nets).generator
        memories[START], memories[REWARD] = deepcopy(nets[generator]).requires_grad_(False), Reward()
        return memories

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _add_preference(self, self.game.stage(nets, clock), self.traits(nets).generator)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return self.game.draw_latents(nets, n, generator or torch.default_generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return self.game.render(nets, latents)

    def anchor(self, nets: Nets, reward: Reward) -> None:
        """Make the networks' present generator the start, and prefer by this reward."""
        nets[START].load_state_dict(nets[self.traits(nets).generator].state_dict())
        nets[REWARD].load_state_dict(reward.state_dict())

    # ------------------------------------------------------------ G's turn

    def play_and_please(self, loss: Loss, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """The game's turn, with the terms of preference. They see samples of their own."""
        turn = loss(nets, batch, clock)
        device = next(nets[START].parameters()).device
        count = -(-len(batch["x"]) // self.subsample)
        latents = {name: value.to(device) for name, value in self.draw_latents(nets, count).items()}
        x, start_x = self.render_both(nets, latents)
        replay = ReplayRng(device)
        r, start_r = (replay(partial(self.rate_view, image, nets, clock)) for image in (x, start_x))
        gain, distance = r - start_r, (x.float() - start_x.float()).square().flatten(1).mean(1)
        pull = self.margin * softplus(-gain / self.margin)
        terms = {"G/preference": self.weight * pull, "G/stay": self.stay * distance}
        gains = {"preference/gain": gain.detach().mean(), "preference/wins": (gain.detach() > 0).float().mean()}
        return Turn({**turn.terms, **terms}, {**turn.statistics, **gains})

    def rate_view(self, x: Tensor, nets: Nets, clock: Clock) -> Tensor:
        """The rewards [N] of samples, as a random `view` shows them."""
        return nets[REWARD](x if self.view is None else self.view(x, clock, nets))

    def render_both(self, nets: Nets, latents: Latents) -> tuple[Tensor, Tensor]:
        """(G's samples, the start's samples without gradients) of the same latents, and with the same noise inside."""
        replay = ReplayRng(next(nets[START].parameters()).device)
        x = replay(lambda: self.render(nets, latents))
        start_nets = nn.ModuleDict({**nets, self.traits(nets).generator: nets[START]})
        with torch.no_grad():
            return x, replay(lambda: self.render(start_nets, latents))


@cache
def _add_preference(method: Preferred, stage: Stage, generator: str) -> Stage:
    """The game's stage, with the terms in the first phase that trains the generator in every step and sees a batch."""
    first = next((p for p in stage.phases if generator in p.trains and p.every == 1 and p.noisy is None), None)
    if first is None:
        raise GanvasError("Preferred needs a game that trains the generator in every step: take Adversarial")
    phases = tuple(
        phase._replace(loss=partial(method.play_and_please, phase.loss)) if phase is first else phase for phase in stage.phases
    )
    return stage._replace(phases=phases)
