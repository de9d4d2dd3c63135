"""A picture as a condition: kept with the run, drawn, and read from a file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.configuration import from_json, to_json
from ganvas.core import Request
from ganvas.data import ClassCondition, Columns, ItemList, prepare_dataset
from ganvas.errors import GanvasError
from ganvas.media import Boxes, Image, ImageCodec, SampleCondition
from ganvas.media.conditions import MAX_EXAMPLES, MIN_EXAMPLES, pack_array, unpack_array
from ganvas.media.degraded import DegradedCodec
from ganvas.methods.latents import CONDITIONS, ConditionDraws, draw_conditions

CODEC = ImageCodec(size=8, channels=3)


def condition(count: int = 100, codec: ImageCodec = CODEC) -> tuple[SampleCondition, torch.Tensor]:
    shape = (count, *codec.stored_shape)
    stored = torch.randint(2**codec.depth, shape, generator=torch.Generator().manual_seed(0))
    stored = stored.to(torch.uint8 if codec.depth == 8 else torch.uint16)
    return codec.derive_condition(stored), stored


@pytest.mark.parametrize("codec", [CODEC, ImageCodec(size=8, channels=1, depth=16), ImageCodec(size="8x16", channels=6)])
def test_draws_are_pictures_of_the_data_and_survive_a_file(codec: ImageCodec) -> None:
    made, stored = condition(codec=codec)
    again = from_json(to_json(made), "condition")
    assert again == made
    assert isinstance(again, SampleCondition)
    x = again.draw(20, torch.Generator().manual_seed(1))
    assert x.shape == (20, *again.shape)
    known = {tuple(row.flatten().tolist()) for row in stored}
    assert all(tuple(row.flatten().tolist()) in known for row in codec.store(x))
    assert len({tuple(row.flatten().tolist()) for row in x}) > 10


def test_the_number_of_examples_follows_their_size() -> None:
    assert len(condition(100)[0].examples) == MAX_EXAMPLES
    assert len(condition(3)[0].examples) == 3
    assert len(condition(8, ImageCodec(size=512))[0].examples) == MIN_EXAMPLES


def test_a_picture_is_given_by_its_path(tmp_path: Path) -> None:
    made, _ = condition()
    Pillow.new("RGB", (30, 20), (255, 0, 0)).save(tmp_path / "red.png")
    value = made.parse(str(tmp_path / "red.png"))
    assert value.shape == (3, 8, 8)
    assert value[0].unique().tolist() == [1.0]
    with pytest.raises(GanvasError, match=r"nothing\.png' cannot be read \(No such file or directory\): give the path"):
        made.parse(str(tmp_path / "nothing.png"))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(GanvasError, match=r"text\.png is not an image that can be read"):
        made.parse(str(tmp_path / "text.png"))


def test_damaged_examples_are_refused_and_run_nothing() -> None:
    text = pack_array(torch.arange(6).numpy())
    assert unpack_array(text).tolist() == [0, 1, 2, 3, 4, 5]
    for wrong in ("", "!", text[:-5], text.swapcase()):
        with pytest.raises(GanvasError, match="examples are damaged"):
            unpack_array(wrong)


def test_a_drawn_source_and_its_mask_belong_together() -> None:
    """Of a source whose examples were made with holes, the mask says where the holes are."""
    pictures = torch.randint(1, 256, (40, 8, 8, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    codec = DegradedCodec(base=CODEC, by=(Boxes(),))
    conditions = {**codec.derive_conditions(pictures), "label": ClassCondition(shares=(0.5, 0.5))}
    nets = torch.nn.ModuleDict({CONDITIONS: ConditionDraws(conditions)})
    for generator in (torch.Generator().manual_seed(3), None):
        drawn = draw_conditions(nets, ("source", "label", "mask"), 30, generator, Request())
        holes = drawn["source"].abs().amax(1, keepdim=True) < 0.01  # 0 is gray, and rounds to 1 / 255
        assert drawn["mask"].any()
        assert holes[drawn["mask"] > 0].all()
        assert holes.sum() < drawn["mask"].sum() * 1.1
        assert len({tuple(row.flatten().tolist()) for row in drawn["source"]}) > 10


def test_other_conditions_draw_as_if_there_were_no_samples() -> None:
    label = ClassCondition(shares=(0.2, 0.3, 0.5))
    nets = torch.nn.ModuleDict({CONDITIONS: ConditionDraws({"label": label})})
    drawn = draw_conditions(nets, ("label",), 20, torch.Generator().manual_seed(5), Request())
    assert drawn["label"].tolist() == label.draw(20, torch.Generator().manual_seed(5)).tolist()


def test_sources_of_different_sizes_draw_the_same_rows() -> None:
    """A small column could keep more examples than a large one; then their rows would not fit together."""

    def read(k: int) -> dict[str, np.ndarray]:
        return {
            "x": np.full((8, 8), k, np.uint8),
            "large": np.full((48, 48), k, np.uint8),
            "small": np.full((8, 8), k, np.uint8),
        }

    items = ItemList([str(k) for k in range(250)], read, "levels", "levels")  # type: ignore[arg-type]
    sizes = {"x": 8, "large": 96, "small": 8}
    medium = Columns(media={name: Image(size=size, channels="rgb") for name, size in sizes.items()})
    data = prepare_dataset(items, medium.fit(items), None, quiet=True)
    nets = torch.nn.ModuleDict({CONDITIONS: ConditionDraws(data.conditions)})
    drawn = draw_conditions(nets, ("small", "large"), 30, torch.Generator().manual_seed(0), Request())
    levels = {name: values.amax((1, 2, 3)) for name, values in drawn.items()}
    assert levels["small"].tolist() == levels["large"].tolist()
    assert len(set(levels["small"].tolist())) > 5
