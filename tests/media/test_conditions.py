"""A picture as a condition: kept with the run, drawn, and read from a file."""

from pathlib import Path

import pytest
import torch
from PIL import Image as Pillow

from ganvas.configuration import from_json, to_json
from ganvas.errors import GanvasError
from ganvas.media import ImageCodec, SampleCondition
from ganvas.media.conditions import MAX_EXAMPLES, MIN_EXAMPLES, pack_array, unpack_array

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
