"""From one kind of picture to another, learned without pairs: CycleGAN, CUT, and the default for two folders."""

from dataclasses import replace

from ..augment import DiffAugment
from ..data import Columns, HeldOut, Unpaired
from ..extractors import ContentKept
from ..losses import ContentLoss, FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import RelativisticPairing
from ..losses.patchnce import PatchNCE
from ..media import Image
from ..methods import Adversarial, Contrastive, Cycle
from ..nets import CUT, CycleGAN, ImageToImage, PatchGAN, PretrainedUNet, Residual, ResNet, WithFeatureCritic
from ..optim import Linear
from ..optim.optimisers import Adam
from ..recipe import Evaluation, PairJudge, Recipe, Train
from .feature_critic import build_feature_critic

BY_DOMAIN = Evaluation(pair_judges=(PairJudge(metrics=(ContentKept(),), against="source"),))


def cyclegan() -> Recipe:
    """Two folders, 256 px: two generators, there and back, and a critic of each kind of picture.

    Paper: Zhu et al. 2017: least squares, cycle 10, identity 5, pools of 50, batch 1, 200 passes of 1,000 pictures.
    Expected: not trained here: it needs a GPU; `cyclegan_small` is for CPUs.
    """
    adam = Adam(lr=2e-4, betas=(0.5, 0.999), schedule=Linear(start=0.5))
    picture = Image(size=256, channels="rgb", flip=True, enlarge=286 / 256)
    return Recipe(
        name="cyclegan",
        data=Unpaired(path="two-folders"),
        medium=Columns(media={"x": picture, "source": picture}),
        nets=CycleGAN(),
        method=Cycle(),
        optim=dict.fromkeys(("G", "G_reverse", "D", "D_reverse"), adam),
        train=Train(samples=200_000, batch=1),
        evaluation=BY_DOMAIN,
        held_out=HeldOut(share=0.1),
    )


def cyclegan_small() -> Recipe:
    """Two folders, for CPUs: narrow networks, critics of 34 px patches, batches of 8, a moving average.

    Paper: Zhu et al. 2017.
    Expected: satellite to relief, 13,160 samples: 20.9 dB, but a pattern over all pictures, KID 0.61 (docs/results.md).
    """
    adam = Adam(lr=5e-4, betas=(0.5, 0.99), schedule=Linear(start=0.5))
    picture = Image(channels="rgb", flip=True)
    return replace(
        cyclegan(),
        name="cyclegan_small",
        medium=Columns(media={"x": picture, "source": picture}),
        nets=CycleGAN(generator=ResNet(width=16, blocks=4), critic=PatchGAN(width=32, layers=2)),
        optim=dict.fromkeys(("G", "G_reverse", "D", "D_reverse"), adam),
        train=Train(minutes=60, batch=8, ema_kimg=5),
    )


def cut() -> Recipe:
    """Two folders, 256 px: patches of a result resemble the same patches of its source. One generator, one critic.

    Paper: Park et al. 2020: PatchNCE on five layers with 256 patches, identity 1, batch 1, 400 passes of 1,000 pictures.
    Expected: not trained here: it needs a GPU; `cut_small` is for CPUs.
    """
    adam = Adam(lr=2e-4, betas=(0.5, 0.999), schedule=Linear(start=0.5))
    return replace(
        cyclegan(),
        name="cut",
        nets=CUT(),
        method=Contrastive(),
        optim=dict.fromkeys("GDH", adam),
        train=Train(samples=400_000, batch=1),
    )


def fastcut() -> Recipe:
    """Two folders, 256 px: `cut` without the identity, with ten times the weight on patches, in half of the time.

    Paper: Park et al. 2020, section 4: 200 passes, the last 50 with a falling rate. It may come out as the identity.
    Expected: not trained here: it needs a GPU.
    """
    adam = Adam(lr=2e-4, betas=(0.5, 0.999), schedule=Linear(start=0.75))
    return replace(
        cut(),
        name="fastcut",
        method=Contrastive(contrast=PatchNCE(weight=10.0), identity=0.0, flips=True),
        optim=dict.fromkeys("GDH", adam),
        train=Train(samples=200_000, batch=1),
    )


def cut_small() -> Recipe:
    """Two folders, for CPUs: `cut` with narrow networks, 64 patches, batches of 8 and a moving average.

    Paper: Park et al. 2020.
    Expected: satellite to relief, 25 minutes of half a core: right colours under a pattern of worms (docs/results.md).
    """
    adam = Adam(lr=5e-4, betas=(0.5, 0.99), schedule=Linear(start=0.5))
    picture = Image(channels="rgb", flip=True)
    return replace(
        cut(),
        name="cut_small",
        medium=Columns(media={"x": picture, "source": picture}),
        nets=CUT(
            generator=ResNet(width=16, blocks=4, antialiased=True),
            critic=PatchGAN(width=32, layers=2, antialiased=True),
            features=("pad", "down1", "down2", "block1", "block3"),
            head_width=64,
        ),
        method=Contrastive(contrast=PatchNCE(patches=64)),
        optim=dict.fromkeys("GDH", adam),
        train=Train(minutes=60, batch=8, ema_kimg=5),
    )


def unpaired_translator() -> Recipe:
    """Two folders: the default for them, quick on a CPU. It starts from the source and keeps its content, not its colours.

    Paper: Sauer et al. 2021 (a critic on features); Huang et al. 2024 (R3GAN's loss); Gatys et al. 2016 (content).
    Expected: satellite to relief, 64 px, 25 minutes of one core: 20.6 dB, KID 0.20, histograms 0.40 (docs/results.md).
    """
    adam = Adam(lr=5e-4, betas=(0.0, 0.99), schedule=Linear(start=0.5))
    on_pixels = FiniteDifferenceR1(gamma=3.0), FiniteDifferenceR2(gamma=3.0)
    networks = ImageToImage(
        generator=Residual(generator=PretrainedUNet(enlargement=1)),
        critic=PatchGAN(width=32, norm="none"),
        critic_sees=(),
    )
    return replace(
        cut_small(),
        name="unpaired_translator",
        nets=WithFeatureCritic(nets=networks, width=64),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=on_pixels,
            auxiliary_losses=(ContentLoss(weight=1.0),),
            augment=DiffAugment(colour=False, cut=0.0),
            side_critics=(build_feature_critic(gamma=10.0),),
            share_fakes=True,
        ),
        optim=dict.fromkeys("GDF", adam),
        train=Train(minutes=30, batch=16, ema_kimg=5),
    )
