"""Which judges score a data set: chosen by the data, unless the recipe names them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..core import (
    Codec,
    DecodingExtractor,
    Extractor,
    FeatureUser,
    Metric,
    Nets,
    PlainSeriesCodec,
    PlainTableCodec,
    SizedExtractor,
    format_shape,
)
from ..errors import GanvasError
from ..extractors import (
    Appearance,
    ColumnValues,
    Coordinates,
    EfficientNetLite0,
    FashionClassifier,
    NGrams,
    PartAndRow,
    PartOf,
    Pixels,
    WindowValues,
)
from ..extractors.by_name import list_extractors, make_extractor
from ..extractors.parts import PartCodecs, find_part_shape
from ..metrics import (
    KID,
    AppearanceGap,
    ColumnShapes,
    Copying,
    DensityCoverage,
    Detectability,
    Frechet,
    PairTrends,
    PrecisionRecall,
    RowPairing,
    SeriesColumns,
    SeriesLikeness,
    TableColumns,
    Usefulness,
    WindowDetectability,
)
from ..metrics.tables.boosting import has_trees
from ..recipe import Evaluation, Judge

# fewer and smaller subsets than KID's own: of EfficientNet's 1,280 features 100 subsets of 1,000 take 12 s a card
DISTANCES = (Frechet(), KID(subsets=10, subset_size=500), PrecisionRecall(), DensityCoverage())
FIRST_JUDGE = (*DISTANCES, Copying())  # one judge is enough to see copies
MAX_CLASSIFIER_PIXELS = 32  # the classifier of clothes was trained at this size


def choose_judges(codec: Codec) -> tuple[Judge, ...]:
    """The judges that suit these samples; the first one chooses the best checkpoint.

    Pictures: EfficientNet, then the classifier of clothes for small gray ones, then their appearance. Others: their values.
    """
    if isinstance(codec, PlainTableCodec):
        return (choose_table_judge(codec),)
    if isinstance(codec, PlainSeriesCodec):
        return (choose_series_judge(codec),)
    if isinstance(codec, PartCodecs):
        return choose_part_judges(codec)
    if codec.medium == "sentence":  # Fréchet is dull on vectors of sentences: it hardly sees damage
        return (Judge(extractor=Pixels(), metrics=(KID(subsets=10, subset_size=500), DensityCoverage())),)
    if codec.medium != "image":
        values = next((one for one in (Coordinates(), NGrams()) if codec.medium in one.media), Pixels())
        return (Judge(extractor=values, metrics=FIRST_JUDGE),)
    channels, *sides = codec.spec.shape
    judges = [Judge(extractor=fit_extractor(EfficientNetLite0(), codec), metrics=FIRST_JUDGE)]
    if channels == 1 and max(sides) <= MAX_CLASSIFIER_PIXELS:
        judges.append(Judge(extractor=FashionClassifier(), metrics=DISTANCES))
    return (*judges, Judge(extractor=Appearance(), metrics=(AppearanceGap(),)))


def choose_table_judge(codec: PlainTableCodec) -> Judge:
    """The judge of rows. Without scikit-learn it has no trees to tell them apart."""
    kinds = codec.list_plain_columns()
    columns = TableColumns(names=tuple(kinds), kinds=tuple(kinds.values()), target=codec.target)
    metrics: list[Metric] = [ColumnShapes(columns=columns)]
    if len(kinds) > 1:
        metrics.append(PairTrends(columns=columns))
    if has_trees():
        metrics = [Detectability(columns=columns), *metrics, *([Usefulness(columns=columns)] if codec.target else [])]
    return Judge(extractor=ColumnValues(), metrics=tuple(metrics))


def choose_part_judges(codec: PartCodecs) -> tuple[Judge, ...]:
    """The judges of samples in parts: those that each part has alone, and those of how parts fit the row."""
    judges = [
        replace(judge, extractor=PartOf(extractor=judge.extractor, part=name))
        for name, part in codec.parts.items()
        for judge in choose_judges(part.codec)
    ]
    table = codec.parts["table"].codec if "table" in codec.parts else None
    if isinstance(table, PlainTableCodec) and "category" in table.list_plain_columns().values():
        kinds, others = tuple(table.list_plain_columns().values()), [name for name in codec.parts if name != "table"]
        judges += [
            Judge(
                extractor=PartAndRow(part=name),
                metrics=(RowPairing(shape=find_part_shape(codec.parts[name].codec), kinds=kinds),),
            )
            for name in others
        ]
    return tuple(judges)


def choose_series_judge(codec: PlainSeriesCodec) -> Judge:
    """The judge of windows. Without scikit-learn it has no trees to tell them apart."""
    kinds = codec.list_plain_series()
    columns = SeriesColumns(names=tuple(kinds), kinds=tuple(kinds.values()), steps=codec.window)
    trees: tuple[Metric, ...] = (WindowDetectability(columns=columns),) if has_trees() else ()
    return Judge(extractor=WindowValues(), metrics=(*trees, SeriesLikeness(columns=columns)))


def fill_judges(evaluation: Evaluation, codec: Codec) -> Evaluation:
    """The evaluation with judges: its own, or those that suit the samples."""
    return evaluation if evaluation.judges else replace(evaluation, judges=choose_judges(codec))


def describe_choice(judges: Iterable[Judge], codec: Codec) -> str:
    """A sentence on judges that the data has chosen."""
    first, *others = (judge.extractor.name for judge in judges)
    beside = f", beside {' and '.join(others)}" if others else ""
    return f"scored by {first}{beside}: these suit {codec.noun} of {format_shape(codec.spec.shape)}"


def fit_extractor(extractor: Extractor, codec: Codec) -> Extractor:
    """The extractor at the size that suits the pictures."""
    sides = codec.spec.shape[1:]
    return extractor.fit_to_size(max(sides)) if isinstance(extractor, SizedExtractor) and sides else extractor


def connect_codec(judge: Judge, codec: Codec) -> Judge:
    """The judge with the codec, if its extractor reads samples by it. Recipes and run folders leave the codec out."""
    extractor = judge.extractor
    return replace(judge, extractor=extractor.fit_to_codec(codec)) if isinstance(extractor, DecodingExtractor) else judge


def judge_by_one(evaluation: Evaluation, extractor: str | Extractor, codec: Codec, allow_download: bool = False) -> Evaluation:
    """The evaluation with one judge.

    Args:
        extractor: its extractor, or a name. A judge of this name in `evaluation`, or one that suits the data, stays as it is.
    """
    known_judges = (*evaluation.judges, *choose_judges(codec))
    if isinstance(extractor, str):
        made = fit_extractor(make_extractor(extractor, allow_download), codec)
        judge = next((judge for judge in known_judges if judge.extractor.word == extractor), None)
    else:
        made, judge = extractor, next((judge for judge in known_judges if judge.extractor == extractor), None)
    return replace(evaluation, judges=(judge or Judge(extractor=made, metrics=known_judges[0].metrics),))


def check_medium(extractor: Extractor, codec: Codec) -> None:
    """Raises GanvasError if the extractor does not take this medium."""
    if extractor.media and codec.medium not in extractor.media:
        others = [word for word, other in list_extractors().items() if not other.media or codec.medium in other.media]
        raise GanvasError(
            f"{extractor.name} takes {' and '.join(extractor.media)}, but these samples are {codec.medium}: take the extractor "
            f"{' or '.join(others)}"
        )


def describe_flattery(judges: Sequence[Judge], nets: Nets) -> list[str]:
    """A sentence for each judge that looks at samples through the same network as one of the trained networks does."""
    users = {
        module.feature_network: name
        for name, net in nets.items()
        for module in net.modules()
        if isinstance(module, FeatureUser)
    }
    flattered = {
        judge.extractor.word: users[judge.extractor.feature_network]
        for judge in judges
        if isinstance(judge.extractor, FeatureUser) and judge.extractor.feature_network in users
    }
    others = " and ".join(judge.extractor.word for judge in judges if judge.extractor.word not in flattered)
    advice = f"read {others}" if others else "score with another one, ganvas evaluate RUN --extractor NAME"
    return [
        f"{word}: {net} was trained with this network's features: its distances flatter; {advice}"
        for word, net in flattered.items()
    ]
