"""Attacks on pictures, points and other samples: is a training sample nearer to a generated one than an unseen sample is?"""

from collections.abc import Iterable

import numpy as np
from torch import Tensor

from ...metrics.neighbours import find_nearest_points
from ...privacy.attacks import judge_membership
from ...recipe import Evaluation
from ...sampling.generator import Sampler
from ...sampling.stream import SampleBlock, stream_blocks
from ..features import FEATURE_BLOCK, Extraction
from ..judges import connect_codec, fill_judges
from .findings import Finding, describe_membership
from .targets import Targets

NEAREST = "Is a training sample more like the most similar new sample than unseen ones are, by the features {}?"


def attack_by_nearest_sample(sampler: Sampler, targets: Targets, evaluation: Evaluation, n: int, seed: int) -> Finding:
    """Membership by the distance to the nearest of `n` new samples, in the first judge's features.

    Chen et al. 2020 (GAN-Leaks), section 4: the full black box.
    """
    judge = connect_codec(fill_judges(evaluation, sampler.codec).judges[0], sampler.codec)
    extraction = Extraction(sampler.device, has_progress_bar=True)

    def extract(blocks: Iterable[SampleBlock], count: int, noun: str) -> np.ndarray:
        return extraction.extract([judge.extractor], blocks, count, noun)[0].features

    fakes = extract(stream_blocks(sampler.method, sampler.nets, sampler.codec, n, seed), n, "generated samples")
    reals = [extract(_cut_blocks(side["x"]), len(side["x"]), "real samples") for side in (targets.members, targets.others)]
    distances = [find_nearest_points(features, fakes)[0] for features in reals]
    result = judge_membership("membership by nearest sample", *(-values for values in distances), seed=seed)
    return describe_membership(result, NEAREST.format(judge.extractor.name))


def _cut_blocks(stored: Tensor) -> Iterable[SampleBlock]:
    return (SampleBlock(block, {}) for block in stored.split(FEATURE_BLOCK))
