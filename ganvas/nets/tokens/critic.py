"""Judges a sample position by position. De Masson d'Autume et al. 2019 (ScratchGAN), section 3.2."""

from torch import Tensor, nn
from torch.nn.functional import pad

from ...core import CriticOutput, Spec
from .layout import TokenLayout, find_longest


class PrefixCritic(nn.Module):
    """x -> CriticOutput with logits [N, T]: the t-th one judges the tokens up to the t-th. After the end they are 0.

    Features are the GRU's state where the sample ends.
    """

    def __init__(self, spec: Spec, embedding: int, width: int, dropout: float) -> None:
        super().__init__()
        self.layout = TokenLayout(spec)
        self.embedding = nn.Linear(self.layout.values, embedding, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.gru = nn.GRU(embedding, width, batch_first=True)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> CriticOutput:
        is_running = self.layout.find_running(self.layout.read_tokens(x))
        steps = find_longest(is_running)
        h = self.norm(self.gru(self.dropout(self.embedding(self.layout.split_positions(x)[:, :steps])))[0])
        logits = self.head(self.dropout(h)).squeeze(2) * is_running[:, :steps]
        last = is_running.sum(1).sub(1).view(-1, 1, 1).expand(-1, 1, h.shape[2])
        return CriticOutput(pad(logits, (0, self.layout.positions - steps)), h.gather(1, last).squeeze(1))
