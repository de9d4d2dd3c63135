"""Networks that read texts."""

import torch

from ganvas.core import Spec
from ganvas.nets import TextToImage
from ganvas.nets.text_to_image.reader import TextReader, WordAttention
from small_recipes import text_condition

TEXT = text_condition()
SPEC_SHAPE = (3, 32, 32)


def test_a_reader_takes_the_mean_of_answers_weighed_by_a_softmax() -> None:
    torch.manual_seed(0)
    reader, text = TextReader(TEXT.size, sentence=3, questions=2, answer=4).double(), TEXT.parse("a dark shoe").double()
    words = text[1:, :-1]
    shares = reader.keys(words).softmax(0)  # all three are there
    values = reader.values(words).view(len(words), 2, 4)
    answers = torch.stack([(shares[:, q, None] * values[:, q]).sum(0) for q in range(2)]).flatten()
    expected = torch.nn.functional.leaky_relu(torch.cat([reader.sentence(text[0, :-1]), answers]), 0.2)
    assert torch.allclose(reader(text[None])[0], expected, atol=1e-4)


def test_missing_words_count_nothing_wherever_they_stand() -> None:
    torch.manual_seed(0)
    text = TEXT.parse_all(["a dark shoe"])
    wider = torch.cat([text, torch.zeros(1, 5, text.shape[2])], 1)
    reader, attention = TextReader(TEXT.size), WordAttention(4, TEXT.size)
    torch.nn.init.normal_(attention.last.weight)
    assert torch.allclose(reader(text), reader(wider), atol=1e-4)
    places = torch.ones(1, 4, 8, 8)
    assert torch.allclose(attention(places, text), attention(places, wider), atol=1e-4)


def test_a_word_of_half_weight_lies_between_there_and_not_there() -> None:
    torch.manual_seed(0)
    reader, text = TextReader(TEXT.size), TEXT.parse_all(["a dark shoe"])
    half, without = text.clone(), text.clone()
    half[:, 2, -1], without[:, 2, -1] = 0.5, 0.0
    full_answer, half_answer, none_answer = (reader(t)[0, 64:] for t in (text, half, without))
    assert (full_answer - none_answer).norm() > (half_answer - none_answer).norm() > 1e-3


def test_attention_starts_as_if_it_were_not_there_and_then_only_text_and_z_decide() -> None:
    torch.manual_seed(0)
    nets = build()
    G, z, text = nets["G"].eval(), torch.randn(2, 64), TEXT.parse_all(["a dark shoe", "a bright coat"])
    with torch.no_grad():
        before = G(z, text)
        assert torch.equal(before, G(z, text))
        shown = [part for part in G.modules() if isinstance(part, WordAttention)]
        assert len(shown) == 2  # at 8 and 16 px
        for part in shown:
            torch.nn.init.normal_(part.last.weight)
        assert not torch.allclose(before, G(z, text), atol=1e-3)
    assert not [part for part in build(attend=False)["G"].modules() if isinstance(part, WordAttention)]


def test_critics_tell_texts_apart() -> None:
    torch.manual_seed(0)
    nets, x = build(), torch.randn(1, *SPEC_SHAPE)
    texts = TEXT.parse_all(["a dark shoe", "a bright coat"])
    one, other = (nets["D"](x, texts[k : k + 1]).logits for k in range(2))
    assert not torch.allclose(one, other)


def build(**settings: bool) -> torch.nn.ModuleDict:
    return TextToImage(**settings).build(Spec(SPEC_SHAPE, (), {"text": TEXT}))
