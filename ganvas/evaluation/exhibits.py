"""The exhibits of a finished run: nearest neighbours, classes, reconstructions, and those of its codec and method."""

from ..core import Exhibit, ExhibitingCodec, ExhibitingMethod, Method, Nets, Reconstructor
from ..runs.exhibits import exhibit_samples
from ..sampling.generator import find_class_condition
from ..sampling.texts import find_text_condition
from .by_class import sample_class_grid
from .captions.caption_exhibits import list_caption_exhibits
from .evaluator import PREVIEW_TRANSLATIONS, Evaluator
from .nearest import pair_with_nearest
from .reconstructions import can_reconstruct, reconstruct_held_out
from .series_exhibits import list_series_exhibits
from .table_exhibits import list_table_exhibits


def collect_exhibits(evaluator: Evaluator, method: Method, nets: Nets) -> list[Exhibit]:
    """All exhibits of these networks."""
    codec, exhibits = evaluator.codec, list[Exhibit]()
    if isinstance(codec, ExhibitingCodec):
        stored = evaluator.draw_fakes(method, nets, codec.preview_count)
        exhibits.append(exhibit_samples(codec, "samples", f"Generated {codec.noun}", stored))
    if evaluator.sources:
        exhibits.append(evaluator.sources.exhibit(evaluator.draw_fakes(method, nets, PREVIEW_TRANSLATIONS)))
    if codec.is_visual and evaluator.shows_reals:
        caption = "Samples, each above its nearest training sample by the scores' features, to detect copies"
        exhibits.append(exhibit_samples(codec, "nearest", caption, pair_with_nearest(evaluator, method, nets)))
        if classes := find_class_condition(evaluator.train.spec, method.traits(nets)):
            grid = sample_class_grid(evaluator, method, nets, classes)
            exhibits.append(exhibit_samples(codec, "classes", "Samples, one row per class", grid))
    if evaluator.texts is not None and find_text_condition(evaluator.train.spec, method.traits(nets)):
        exhibits += list_caption_exhibits(evaluator.texts, method, nets)
    exhibits += list_table_exhibits(evaluator, method, nets)
    exhibits += list_series_exhibits(evaluator, method, nets)
    if isinstance(method, Reconstructor) and can_reconstruct(evaluator, method, nets):
        caption = "Held-out samples, each above the autoencoder's reconstruction"
        stored, _ = reconstruct_held_out(evaluator, method, nets)
        exhibits.append(exhibit_samples(codec, "reconstructions", caption, stored))
    if isinstance(method, ExhibitingMethod):
        exhibits += method.exhibits(nets, codec, evaluator.preview_batch)
    return exhibits
