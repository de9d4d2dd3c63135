"""Pictures from texts."""

from dataclasses import replace

from ..data import Captioned, Columns
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2, MismatchedCaptions, ModeSeeking
from ..losses.objectives import RelativisticPairing
from ..media import Captions, Image
from ..methods import Adversarial
from ..nets import TextToImage
from ..optim.optimisers import Adam
from ..recipe import Evaluation, Recipe, Train
from .choosing import BySize
from .feature_critic import build_feature_critic


def text2image() -> Recipe:
    """Pictures from captions: norms by z and text, words by attention, and a critic that is shown wrong captions too.

    Paper: Reed et al. 2016 (wrong captions), Xu et al. 2018 (attention on words), Tao et al. 2022 (norms by the sentence),
    Huang et al. 2024 (the loss), Sauer et al. 2021 (a critic on features).
    Expected: docs/results.md.
    """
    adam = Adam(lr=2e-3, betas=(0.0, 0.99))
    return Recipe(
        name="text2image",
        data=Captioned(path="captions"),
        medium=Columns(media={"x": Image(), "text": Captions()}),
        nets=TextToImage(),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=0.5), FiniteDifferenceR2(gamma=0.5)),
            auxiliary_losses=(MismatchedCaptions(),),
            side_critics=(build_feature_critic(weight=3.0, auxiliary_losses=(MismatchedCaptions(),)),),
            share_fakes=True,
        ),
        optim={"G": adam, "D": adam, "F": adam},
        train=Train(minutes=10.0, batch=64, ema_kimg=20.0),
        evaluation=Evaluation(),
        choose=BySize(),
    )


def text2image_varied() -> Recipe:
    """Pictures from brief captions: `text2image`, whose G has to vary what a caption leaves open.

    Paper: Mao et al. 2019 (MSGAN), and those of `text2image`.
    Expected: avatars with brief sentences, 8 minutes: 75% of the real variety in pixels, 16% without (docs/results.md).
    """
    recipe = text2image()
    assert isinstance(recipe.method, Adversarial)
    method = replace(recipe.method, auxiliary_losses=(*recipe.method.auxiliary_losses, ModeSeeking()))
    return replace(recipe, name="text2image_varied", method=method)
