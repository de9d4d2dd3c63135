"""TimeGAN's five networks: GRUs between noise, embeddings and windows. Yoon et al. 2019, section 4; the authors' code."""

from dataclasses import replace

from torch import Tensor, nn

from ...configuration import config
from ...core import CriticOutput, GeneratorNetwork, Spec
from ...errors import GanvasError, require
from ..layers.labels import check_widths


class RecurrentLayers(nn.Module):
    """Layers of GRUs, then a linear layer for each step: [N, T, inputs] -> [N, T, outputs].

    Parameters of a GRU with h units on n numbers: 3h·(n + h + 2).
    """

    def __init__(self, inputs: int, width: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.gru, self.head = nn.GRU(inputs, width, layers, batch_first=True), nn.Linear(width, outputs)
        initialise_as_tensorflow(self.gru)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, h: Tensor) -> Tensor:
        return self.head(self.gru(h)[0])


def initialise_as_tensorflow(gru: nn.GRU) -> None:
    """Glorot's bounds for the gates together and for the candidate, and gates that keep memory: the authors' results need it.

    Torch starts with smaller weights. Through so many sigmoids hardly a gradient would reach the embedder.
    """
    gates = 2 * gru.hidden_size
    for of_inputs, of_memory, bias, memory_bias in gru.all_weights:
        for rows, outputs in ((slice(None, gates), gates), (slice(gates, None), gru.hidden_size)):
            bound = (6 / (of_inputs.shape[1] + gru.hidden_size + outputs)) ** 0.5
            for weight in (of_inputs, of_memory):
                nn.init.uniform_(weight[rows], -bound, bound)
        nn.init.zeros_(memory_bias)
        nn.init.zeros_(bias)
        nn.init.ones_(bias[:gates])


class StepMap(RecurrentLayers):
    """RecurrentLayers with a sigmoid: embedder, recovery and supervisor. All embeddings and windows lie from 0 to 1."""

    def forward(self, h: Tensor) -> Tensor:
        return super().forward(h).sigmoid()


class EmbeddingGenerator(GeneratorNetwork):
    """z [N, T·W], uniform from -1 to 1 -> an embedding [N, T, width]. A step's noise moved to [0, 1] is the paper's."""

    def __init__(self, steps: int, noise: int, width: int, layers: int) -> None:
        super().__init__()
        self.steps, self.z_dim = steps, steps * noise
        self.map = StepMap(noise, width, layers, width)

    def forward(self, z: Tensor) -> Tensor:
        return self.map((z.unflatten(1, (self.steps, -1)) + 1) / 2)


class EmbeddingCritic(nn.Module):
    """An embedding [N, T, width] -> CriticOutput with a logit for each step, [N, T]."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.layers = RecurrentLayers(width, width, layers, 1)

    def forward(self, h: Tensor) -> CriticOutput:
        h = self.layers.gru(h)[0]
        return CriticOutput(self.layers.head(h).squeeze(2), h.flatten(1))


@config
class SeriesGRUs:
    """G makes embeddings of windows and D judges them; embedder, recovery and supervisor lead there, back, and one step on.

    width: units of all layers, and numbers of an embedding's step. The paper takes four for each column, its code 24.
    layers: of all networks but the supervisor, which has one less.
    """

    width: int = 24
    layers: int = 3

    def __post_init__(self) -> None:
        check_widths(width=self.width)
        require(2 <= self.layers <= 100, "layers", self.layers, "from 2 to 100")

    def build(self, spec: Spec) -> nn.ModuleDict:
        if len(spec.shape) != 2:
            raise GanvasError(f"these networks make windows of series, got samples of {spec.shape}: take a recipe for pictures")
        (steps, numbers), width = spec.shape, self.width
        return nn.ModuleDict(
            {
                "G": EmbeddingGenerator(steps, numbers, width, self.layers),
                "supervisor": StepMap(width, width, self.layers - 1, width),
                "embedder": StepMap(numbers, width, self.layers, width),
                "recovery": StepMap(width, width, self.layers, numbers),
                "D": EmbeddingCritic(width, self.layers),
            }
        )

    def smallest(self) -> "SeriesGRUs":
        return replace(self, width=2, layers=2)
