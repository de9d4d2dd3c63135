"""Draws a sample token by token. Its probabilities of given tokens take one pass."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ...core import GeneratorNetwork, Spec
from .layout import TokenLayout, find_longest


class TokenScores(NamedTuple):
    """What a generator thinks of tokens. Positions after the end are 0."""

    log_probabilities: Tensor  # [N, T], in nats
    entropies: Tensor  # [N, T], of the distribution at each position, in nats


class TokenGenerator(GeneratorNetwork):
    """u [N, T], uniform in [0, 1) -> x. A GRU reads the tokens so far, and u chooses the next one by the inverse CDF.

    Parameters: (V + 1)·E + 3H·(E + H + 2) + V·(H + 1) for V tokens, E numbers of a token and H units.
    """

    takes_truncation = True  # as a temperature

    def __init__(self, spec: Spec, embedding: int, width: int) -> None:
        super().__init__()
        self.layout = TokenLayout(spec)
        self.draw_count = self.layout.positions
        self.embedding = nn.Embedding(self.layout.values + 1, embedding)  # the last one begins a sample
        self.gru = nn.GRU(embedding, width, batch_first=True)
        self.head = nn.Linear(width, self.layout.values)

    def forward(self, u: Tensor, truncation: Tensor | None = None) -> Tensor:
        return self.layout.encode_tokens(self.draw_tokens(u, truncation))

    def draw_tokens(self, u: Tensor, truncation: Tensor | None = None) -> Tensor:
        """Tokens int64 [N, T], drawn in full precision; after an end there are only ends.

        Logits are divided by truncation [N], if it is given.
        """
        with torch.autocast(u.device.type, enabled=False):
            return self._draw_in_full_precision(u, truncation)

    def _draw_in_full_precision(self, u: Tensor, truncation: Tensor | None) -> Tensor:
        token = torch.full_like(u[:, 0], self.layout.values, dtype=torch.long)
        h, is_over = u.new_zeros(u.shape[0], self.gru.hidden_size), torch.zeros_like(u[:, 0], dtype=torch.bool)
        tokens: list[Tensor] = []
        for t in range(self.layout.positions):
            h = torch.gru_cell(self.embedding(token), h, *self.gru.all_weights[0])
            logits = self.mask_logits(self.head(h), self.layout.is_allowed[t])
            token = choose_by_cdf(logits if truncation is None else logits / truncation.unsqueeze(1), u[:, t])
            if self.layout.end is not None:
                token = torch.where(is_over, self.layout.end, token)
                is_over = is_over | (token == self.layout.end)
                if self.training and bool(is_over.all()):
                    break
            tokens.append(token)
        drawn = torch.stack(tokens, 1) if tokens else token.new_empty(token.shape[0], 0)
        missing = self.layout.positions - len(tokens)
        return pad(drawn, (0, missing), value=self.layout.end or 0) if missing else drawn

    def score_tokens(self, tokens: Tensor) -> TokenScores:
        """Log-probabilities and entropies at the positions of given tokens [N, T], in one pass."""
        is_running = self.layout.find_running(tokens)
        steps = find_longest(is_running)
        before = pad(tokens[:, : steps - 1], (1, 0), value=self.layout.values)
        h = self.gru(self.embedding(before))[0]
        log_shares = self.mask_logits(self.head(h), self.layout.is_allowed[:steps]).log_softmax(2)
        entropies = -(log_shares.exp() * log_shares).sum(2)
        log_probabilities = log_shares.gather(2, tokens[:, :steps, None]).squeeze(2)
        counts, rest = is_running[:, :steps], (0, self.layout.positions - steps)
        return TokenScores(pad(log_probabilities * counts, rest), pad(entropies * counts, rest))

    def mask_logits(self, logits: Tensor, is_allowed: Tensor) -> Tensor:
        """Logits in fp32, very low for tokens that a position cannot have."""
        return logits.float().masked_fill(~is_allowed, -1e9)


def choose_by_cdf(logits: Tensor, u: Tensor) -> Tensor:
    """Tokens [N] of distributions [N, V]: the first whose cumulative share exceeds u [N]. None has the share 0."""
    cumulative = logits.softmax(1).cumsum(1)
    return (cumulative / cumulative[:, -1:] <= u.unsqueeze(1)).sum(1)  # the last share is exactly 1, above every u
