"""Before a run's first step: open the data, and plan with them."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

from ..core import Codec, format_shape
from ..data import EncodedDataset
from ..data.dataset import explain_missing_labels, open_data
from ..data.held_out import HELD_OUT_KEY, describe_held_out
from ..evaluation.evaluator import Evaluator
from ..evaluation.private import open_evaluator
from ..recipe import Recipe
from ..system import distributed
from ..system.console import print_status
from ..system.device import has_room_for
from ..system.files import find_cache_folder
from .plan import Planner


class RunPlan(NamedTuple):
    """A run before its first step."""

    training_set: EncodedDataset
    placed_data: EncodedDataset  # on the device, if it has room
    evaluator: Evaluator | None  # on rank 0
    resolved: Recipe
    stage_speeds: dict[str, float]  # measured samples/s


def prepare_run(requested: Recipe, seed: int, device: torch.device, is_quiet: bool) -> RunPlan:
    """Open the data and plan the run; once more if the time is enough for samples of another size."""
    plan = plan_run(requested, seed, device, is_quiet)
    if plan.resolved.medium != requested.medium:
        plan = plan_run(replace(requested, medium=plan.resolved.medium), seed, device, is_quiet)
    return plan


def plan_run(requested: Recipe, seed: int, device: torch.device, is_quiet: bool) -> RunPlan:
    """Open the data, and decide what depends on it. First refuses what cannot be trained."""
    codec, training_set, held_out, evaluator = prepare_data_and_evaluator(requested, None, device)
    total, title = len(training_set) + training_set.held_out_count, f"{requested.name}: {training_set.title}"
    print_status(is_quiet, f"{title}, {total:,} {codec.noun} of {describe_shape(codec)}, on {device}")
    if held_out is None or held_out.is_taken_from_training:
        print_status(is_quiet, f"  {describe_held_out(total, training_set.held_out_count, codec.noun)}")
    data = place_on_device(training_set, device)
    with explain_missing_labels(data):
        planner = Planner(requested, data, seed, device, partial(print_status, is_quiet))
        nets = planner.build_networks(requested).state.nets
    unused = set(data.spec.conditions) - set(requested.method.traits(nets).conditions)
    if unused:
        advice = "; projection, acgan and cgan use it" if unused == {"label"} else ""
        print_status(is_quiet, f"{requested.name} ignores the data's {', '.join(sorted(unused))}{advice}")
    del nets  # so that the planner can free their memory
    if evaluator is not None:
        evaluator.check_floors()
    resolved = planner.plan(evaluator)
    if evaluator is not None:
        evaluator.use_evaluation(resolved.evaluation)  # with the card size for this budget
        for caution in evaluator.check_floors():
            print_status(is_quiet, f"note: {caution}")
    return RunPlan(training_set, data, evaluator, resolved, planner.stage_speeds)


def prepare_data_and_evaluator(
    recipe: Recipe, codec: Codec | None, device: torch.device, held_out_key: str = HELD_OUT_KEY
) -> tuple[Codec, EncodedDataset, EncodedDataset | None, Evaluator | None]:
    """The codec, the training set, the held-out set, and on rank 0 the evaluator.

    Rank 0 comes first, to fill the caches for the others.
    """
    with distributed.rank_zero_first():
        is_quiet = not distributed.is_main_process()
        codec, training_set, held_out = open_data(
            recipe.data, recipe.medium, codec, is_quiet, recipe.batches, recipe.held_out, held_out_key
        )
        evaluator = (
            open_evaluator(recipe, training_set, held_out, find_cache_folder(), device)
            if distributed.is_main_process()
            else None
        )
        return codec, training_set, held_out, evaluator


def place_on_device(data: EncodedDataset, device: torch.device) -> EncodedDataset:
    """The data on the device if it fits there; else unchanged, and each batch is copied when needed."""
    return data.copy_to_device(device) if has_room_for(device, data.byte_count) else data


def describe_shape(codec: Codec) -> str:
    """A sample's shape in words: "1 x 32 x 32"; "3 x 64 x 96 (channels x height x width)" where it could be mistaken."""
    shape, is_long = codec.spec.shape, codec.is_visual and len(codec.spec.shape) == 3 and len(set(codec.spec.shape[1:])) > 1
    return format_shape(shape) + (" (channels x height x width)" if is_long else "")
