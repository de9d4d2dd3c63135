"""From damaged pictures to whole ones: enlarging, filling, colouring, cleaning. Sources are made from the pictures.

Large photographs are learned from in tiles, in their own resolution. Set the sizes of data and medium together.
"""

from dataclasses import replace

from ..data import Files, Tiles
from ..extractors import PerceptualDistance
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2, PerceptualLoss, PixelLoss
from ..losses.objectives import NonSaturating, RelativisticAverage, RelativisticPairing, WeightedObjective
from ..media import Blur, Boxes, Degraded, Gray, Image, Jpeg, Noise, OneOf, Smaller, Strokes, Twice
from ..methods import Adversarial, PixelsFirst, Supervised
from ..metrics.pairs import PSNR, SSIM, Colourfulness
from ..nets import (
    SRVGG,
    Chroma,
    Hole,
    ImageToImage,
    LaMa,
    PatchGAN,
    PretrainedUNet,
    Residual,
    RRDBNet,
    SRResNet,
    UNet,
    UNetCritic,
    VGGCritic,
)
from ..optim import Cosine
from ..optim.optimisers import Adam
from ..recipe import Evaluation, PairJudge, Recipe, Train

BY_PIXELS = Evaluation(pair_judges=(PairJudge(metrics=(PSNR(), PSNR(luma=True, shave=4), SSIM(), PerceptualDistance())),))
BY_EYE = Evaluation(pair_judges=(PairJudge(metrics=(PerceptualDistance(), PSNR(), PSNR(luma=True, shave=4), SSIM())),))


def srresnet() -> Recipe:
    """Pictures, four times larger: 96 px from 24 px, by the error of pixels alone.

    Paper: Ledig et al. 2017 (SRGAN), section 3.2: batch 16, Adam 1e-4, a million steps.
    Expected: not trained here: it needs a GPU; `srresnet_small` is measured (docs/results.md).
    """
    return Recipe(
        name="srresnet",
        data=Tiles(path="photos", size=96),
        medium=Degraded(medium=Image(size=96, flip=True), by=(Smaller(factor=4),)),
        nets=ImageToImage(generator=SRResNet(), critic=None, critic_sees=()),
        method=Supervised(losses=(PixelLoss(weight=1.0, kind="mse"),)),
        optim={"G": Adam(lr=1e-4, betas=(0.9, 0.999))},
        train=Train(samples=16_000_000, batch=16),
        evaluation=BY_PIXELS,
    )


def srresnet_small() -> Recipe:
    """Pictures, four times larger, for CPUs: a compact network that corrects an enlargement, by the error of pixels.

    Paper: Ledig et al. 2017; the network is Real-ESRGAN's for films (Wang et al. 2021).
    Expected: photographs, 8 minutes of one core: 35.7 dB of luma, Lanczos 34.8 (docs/results.md).
    """
    return replace(
        srresnet(),
        name="srresnet_small",
        data=Tiles(path="photos", size=128),
        medium=Degraded(medium=Image(pixels=128**2, flip=True), by=(Smaller(factor=4),)),
        nets=ImageToImage(generator=SRVGG(width=48, layers=12), critic=None, critic_sees=()),
        method=Supervised(losses=(PixelLoss(weight=1.0, kind="charbonnier"),)),
        optim={"G": Adam(lr=1e-3, betas=(0.9, 0.99))},
        train=Train(minutes=30, batch=16, ema_kimg=5),
    )


def srgan() -> Recipe:
    """Pictures, four times larger: `srresnet`, then a critic of pictures and a distance of features.

    Paper: Ledig et al. 2017: 1e-3 of the adversarial loss. Its features are VGG's, here EfficientNet's.
    Expected: not trained here: it needs a GPU.
    """
    adam = Adam(lr=1e-4, betas=(0.9, 0.999))
    game = Adversarial(
        objective=WeightedObjective(objective=NonSaturating(), weight=1e-3),
        auxiliary_losses=(PerceptualLoss(weight=1.0),),
        share_fakes=True,
    )
    return replace(
        srresnet(),
        name="srgan",
        nets=ImageToImage(generator=SRResNet(), critic=VGGCritic(), critic_sees=()),
        method=PixelsFirst(share=0.8, start=Supervised(losses=(PixelLoss(weight=1.0, kind="mse"),)), game=game),
        optim={"G": adam, "D": adam},
        evaluation=BY_EYE,
    )


def srgan_small() -> Recipe:
    """Pictures, four times larger, for CPUs: a compact network, by pixels at first, then with a critic of patches.

    Paper: Ledig et al. 2017; the loss of Huang et al. 2024 (R3GAN), penalties by finite differences.
    Expected: photographs, 25 minutes of half a core: 35.4 dB, LPIPS-like 0.066; Lanczos 34.8 and 0.086 (docs/results.md).
    """
    adam = Adam(lr=5e-4, betas=(0.0, 0.99))
    pixels = PixelLoss(weight=1.0, kind="charbonnier")
    game = Adversarial(
        objective=WeightedObjective(objective=RelativisticPairing(), weight=5e-3),
        penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)),
        auxiliary_losses=(pixels, PerceptualLoss(weight=0.1)),
        share_fakes=True,
    )
    return replace(
        srresnet_small(),
        name="srgan_small",
        nets=ImageToImage(generator=SRVGG(width=48, layers=12), critic=PatchGAN(width=32, norm="none"), critic_sees=()),
        method=PixelsFirst(share=0.5, start=Supervised(losses=(pixels,)), game=game),
        optim={"G": adam, "D": adam},
        evaluation=BY_EYE,
    )


def esrgan() -> Recipe:
    """Pictures, four times larger: dense residual blocks, a relativistic critic, 128 px from 32 px.

    Paper: Wang et al. 2018: L1 1e-2, features 1, adversarial 5e-3, batch 16. Its features are VGG's, here EfficientNet's.
    Expected: not trained here: it needs a GPU.
    """
    adam = Adam(lr=1e-4, betas=(0.9, 0.99))
    game = Adversarial(
        objective=WeightedObjective(objective=RelativisticAverage(), weight=5e-3),
        auxiliary_losses=(PixelLoss(weight=1e-2), PerceptualLoss(weight=1.0)),
        share_fakes=True,
    )
    return replace(
        srgan(),
        name="esrgan",
        data=Tiles(path="photos", size=128),
        medium=Degraded(medium=Image(size=128, flip=True), by=(Smaller(factor=4),)),
        nets=ImageToImage(generator=RRDBNet(), critic=VGGCritic(), critic_sees=()),
        method=PixelsFirst(share=0.7, start=Supervised(losses=(PixelLoss(weight=1.0),)), game=game),
        optim={"G": adam, "D": adam},
        train=Train(samples=6_400_000, batch=16, ema_kimg=11),
    )


def realesrgan() -> Recipe:
    """Pictures from the wild, four times larger: sources are blurred, noisy and compressed twice, 256 px from 64 px.

    Paper: Wang et al. 2021: L1 1, features 1, adversarial 0.1, a U-Net as the critic. Features are EfficientNet's, not VGG's.
    Expected: not trained here: it needs a GPU.
    """
    game = Adversarial(
        objective=WeightedObjective(objective=NonSaturating(), weight=0.1),
        auxiliary_losses=(PixelLoss(weight=1.0), PerceptualLoss(weight=1.0)),
        share_fakes=True,
    )
    return replace(
        esrgan(),
        name="realesrgan",
        data=Tiles(path="photos", size=256),
        medium=Degraded(medium=Image(size=256, flip=True), by=(Twice(factor=4),)),
        nets=ImageToImage(generator=RRDBNet(), critic=UNetCritic(), critic_sees=()),
        method=PixelsFirst(share=0.7, start=Supervised(losses=(PixelLoss(weight=1.0),)), game=game),
        train=Train(samples=14_000_000, batch=12, ema_kimg=8),
    )


def inpaint() -> Recipe:
    """Pictures with holes, 256 px: Fourier convolutions that see the whole picture. Known pixels stay as they are.

    Paper: Suvorov et al. 2022 (LaMa): L1 on known pixels, a critic of patches, features of a trained network.
    Expected: not trained here: it needs a GPU; `inpaint_small` is for CPUs.
    """
    adam = Adam(lr=1e-3, betas=(0.9, 0.999))
    game = Adversarial(
        objective=WeightedObjective(objective=NonSaturating(), weight=10.0),
        auxiliary_losses=(PixelLoss(weight=10.0), PerceptualLoss(weight=30.0)),
        share_fakes=True,
    )
    return Recipe(
        name="inpaint",
        data=Tiles(path="photos", size=256),
        medium=Degraded(medium=Image(size=256, flip=True), by=(OneOf(choices=(Boxes(), Strokes())),)),
        nets=ImageToImage(generator=Hole(generator=LaMa()), critic=PatchGAN(layers=4, norm="batch"), critic_sees=("mask",)),
        method=game,
        optim={"G": adam, "D": replace(adam, lr=1e-4)},
        train=Train(samples=10_000_000, batch=10),
        evaluation=BY_EYE,
    )


def inpaint_small() -> Recipe:
    """Pictures with holes, for CPUs: filled smoothly, then changed by a U-Net, by pixels at first and then with a critic.

    Paper: Suvorov et al. 2022; the loss of Huang et al. 2024 (R3GAN), penalties by finite differences.
    Expected: photographs, 64 px, 25 minutes of one core: 24.1 dB in the hole, OpenCV 23.0; LPIPS-like 12% lower.
    """
    adam = Adam(lr=1e-3, betas=(0.0, 0.99), schedule=Cosine(start=0.5))
    pixels = PixelLoss(weight=10.0, on="hole")
    game = Adversarial(
        objective=WeightedObjective(objective=RelativisticPairing(), weight=0.3),
        penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)),
        auxiliary_losses=(pixels, PerceptualLoss(weight=0.3)),
        share_fakes=True,
    )
    return replace(
        inpaint(),
        name="inpaint_small",
        data=Tiles(path="photos", size=64),
        medium=Degraded(medium=Image(flip=True), by=(OneOf(choices=(Boxes(), Strokes())),)),
        nets=ImageToImage(
            generator=Hole(generator=Residual(generator=UNet(width=24, depth=4, norm="none", dropout=False))),
            critic=PatchGAN(width=32, norm="none"),
            critic_sees=("mask",),
        ),
        method=PixelsFirst(share=0.4, start=Supervised(losses=(pixels,)), game=game),
        optim={"G": adam, "D": adam},
        train=Train(minutes=40, batch=32, ema_kimg=10),
    )


def colourise() -> Recipe:
    """Gray pictures in colour: G sees through a classifier and makes two channels of colour. Brightness stays exactly.

    Paper: Isola et al. 2017 (pairs of gray and colour); the loss of Huang et al. 2024 (R3GAN).
    Expected: photographs, 64 px, 25 minutes of one core: LPIPS-like 0.170, gray itself 0.199 (docs/results.md).
    """
    return replace(
        inpaint_small(),
        name="colourise",
        data=Files(path="photos"),
        medium=Degraded(medium=Image(flip=True, channels="rgb"), by=(Gray(),)),
        nets=ImageToImage(
            generator=Chroma(generator=PretrainedUNet(enlargement=1)),
            critic=PatchGAN(width=32, norm="none"),
        ),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)),
            auxiliary_losses=(PixelLoss(weight=10.0),),
            share_fakes=True,
        ),
        evaluation=Evaluation(pair_judges=(PairJudge(metrics=(PerceptualDistance(), PSNR(), SSIM(), Colourfulness())),)),
    )


def restore() -> Recipe:
    """Damaged pictures of the same size, cleaned: G starts from its source and learns the change.

    Paper: Zhang et al. 2017 (DnCNN: residual learning), by the error of pixels.
    Expected: photographs, 15 minutes of half a core: 28.8 dB and LPIPS-like 0.105, damaged 27.5 and 0.142 (docs/results.md).
    """
    return Recipe(
        name="restore",
        data=Tiles(path="photos", size=128),
        medium=Degraded(medium=Image(pixels=128**2, flip=True), by=(Blur(), Noise(), Jpeg())),
        nets=ImageToImage(
            generator=Residual(generator=UNet(width=24, depth=4, norm="none", dropout=False)), critic=None, critic_sees=()
        ),
        method=Supervised(losses=(PixelLoss(weight=1.0, kind="charbonnier"),)),
        optim={"G": Adam(lr=1e-3, betas=(0.9, 0.99))},
        train=Train(minutes=30, batch=16, ema_kimg=5),
        evaluation=BY_PIXELS,
    )
