"""Pictures of rows: a real picture, samples of its caption, and the caption under them."""

import io

import torch

from ...core import Exhibit, Method, Nets
from ...pictures.captioned import draw_captioned_rows
from .captioned_set import CaptionedSet
from .text_scorer import UNSEEN, TextScorer

ROWS, SAMPLES = 8, 5


def list_caption_exhibits(scorer: TextScorer, method: Method, nets: Nets) -> list[Exhibit]:
    """A picture for captions that training never saw, and one for captions of training pictures."""
    exhibits = list[Exhibit]()
    for word, captioned in scorer.sets.items():
        name, origin = ("unseen_captions", "that training never saw") if word == UNSEEN else ("known_captions", "of training")
        shown = CaptionedSet(captioned.columns, captioned.rows[:ROWS], captioned.codec)
        samples = scorer.draw_pictures(method, nets, shown, SAMPLES).split(SAMPLES)
        rows = [torch.cat([real[None], fakes]) for real, fakes in zip(shown.take("x"), samples, strict=True)]
        buffer = io.BytesIO()
        draw_captioned_rows(scorer.codec, rows, shown.read_first_texts()).save(buffer, "PNG")
        text = f"Captions {origin}: on the left the real picture, beside it {SAMPLES} samples of its caption"
        exhibits.append(Exhibit(name, text, ".png", buffer.getvalue()))
    return exhibits
