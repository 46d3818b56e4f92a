import pytest
import torch
from fairseq.data import Dictionary
from torch import nn

from fairseq_hmst.modules.joint_embedding import JointEmbedding, check_is_prefix


def dictionary_of(*symbols: str) -> Dictionary:
    dictionary = Dictionary()
    for symbol in symbols:
        dictionary.add_symbol(symbol)
    return dictionary


def test_two_tables_look_up_what_one_would():
    torch.manual_seed(0)
    embedding = JointEmbedding(nn.Embedding(7, 3, padding_idx=1), num_units=5)
    whole = torch.cat([embedding.text.weight, embedding.units.weight])
    tokens = torch.tensor([[4, 6, 7, 11], [0, 8, 1, 1]])
    torch.testing.assert_close(embedding(tokens), whole[tokens], atol=0, rtol=0)


@pytest.mark.parametrize(("tokens", "text_rows", "unit_rows"), [([4, 6, 4], {4, 6}, set()), ([7, 9], set(), {0, 2})])
def test_the_rows_looked_up_and_no_others_have_a_gradient(tokens, text_rows, unit_rows):
    embedding = JointEmbedding(nn.Embedding(7, 3, padding_idx=1), num_units=5)
    embedding(torch.tensor([tokens])).sum().backward()
    for table, rows in ((embedding.text, text_rows), (embedding.units, unit_rows)):
        assert table.weight.grad is not None, "every worker must have a gradient of every table"
        assert set(table.weight.grad.abs().sum(1).nonzero().squeeze(1).tolist()) == rows


def test_a_dictionary_that_does_not_begin_with_the_other_is_refused():
    target = dictionary_of("a", "b")
    check_is_prefix(target, dictionary_of("a", "b", "unit"))
    for source in (dictionary_of("b", "a", "unit"), dictionary_of("unit", "a", "b"), dictionary_of("a", "b")):
        with pytest.raises(ValueError, match="begins with the whole output dictionary"):
            check_is_prefix(target, source)
