"""A translator learns without pairs: a patch of its result resembles the same patch of the source more than other patches.

Park et al. 2020 (CUT and FastCUT). There is no way back to learn, so it takes half of CycleGAN's networks.
"""

from functools import cache

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, Latents, Nets, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from ..losses.objectives import LeastSquares, WeightedObjective
from ..losses.patchnce import PatchNCE
from ..nets.translation import FeatureTranslator, ProjectionHead, draw_places
from .adversarial import Adversarial
from .sources import read_source_condition_shape, require_like_source


@config
class Contrastive:
    """Train G, its head H and D on two sets of samples. Eq. 5; keys are the features that G saw while it translated.

    game: of G and its critics, in which D judges the fakes that G has just made. The default has the authors' least squares,
        halved for D alone.
    contrast: the loss of patches. Its weight is 1 in CUT, 10 in FastCUT.
    identity: how much the patches of G(x), which should stay x, count beside those of sources: 1 in CUT, 0 in FastCUT.
    flips: half of the batches go through G mirrored, and their features are mirrored back, as in FastCUT. It costs a pass
        through G's first half.

    The authors' code halves both losses of patches where the identity counts; the paper does not.
    """

    game: Adversarial = Adversarial(objective=WeightedObjective(objective=LeastSquares(), weight=2.0), share_fakes=True)
    contrast: PatchNCE = PatchNCE()
    identity: float = 1.0
    flips: bool = False

    def __post_init__(self) -> None:
        require(self.game.share_fakes, "game.share_fakes", self.game.share_fakes, "True: G translates each source once")
        require(self.identity >= 0, "identity", self.identity, "0 or more")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if "H" not in nets or not isinstance(nets["G"], FeatureTranslator):
            raise GanvasError("Contrastive needs a G that shows its features, and a head H for them: take the networks CUT")
        read_source_condition_shape(spec, "Contrastive")
        if self.identity:
            require_like_source(spec, "Contrastive")
        return self.game.state(spec, nets)

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_contrastive_stage(self, self.game.stage(nets, clock))

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return self.game.render(nets, latents)

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        source, x = batch["source"], batch["x"]
        results, contrast = self.translate(nets, torch.cat([source, x]) if self.identity else source)
        n = len(source)
        terms, statistics = self.game.please_critics(nets, batch, clock, results[:n])
        terms = {**terms, "G/patches": contrast[:n]}
        if self.identity:
            terms["G/identity"] = self.identity * contrast[n:]
        return Turn(terms, statistics)

    def translate(self, nets: Nets, starts: Tensor) -> tuple[Tensor, Tensor]:
        """(G's results, the loss of their patches [N])."""
        G, H = get_translator(nets)
        is_flipped = self.flips and bool(torch.rand(()) < 0.5)
        results, keys = G.translate_with_features(starts.flip(3) if is_flipped else starts, H.names)
        queries = G.extract_features(results, H.names)
        places = draw_places(queries, self.contrast.patches)
        query_points = H({name: features.flip(3) for name, features in queries.items()} if is_flipped else queries, places)
        with torch.no_grad():
            key_points = H(G.extract_features(starts, H.names) if is_flipped else keys, places)
        return results, self.contrast(query_points, key_points)


def get_translator(nets: Nets) -> tuple[FeatureTranslator, ProjectionHead]:
    G, H = nets["G"], nets["H"]
    assert isinstance(G, FeatureTranslator)
    assert isinstance(H, ProjectionHead)
    return G, H


@cache
def _build_contrastive_stage(method: Contrastive, stage: Stage) -> Stage:
    """The game's stage, in which G learns from patches, too, together with H."""
    phases = (p._replace(trains=("G", "H"), loss=method.play_g) if p.name == "G" else p for p in stage.phases)
    return Stage("contrastive", tuple(phases))
