"""A checkpoint of fairseq's own mBART, in the forms in which fairseq writes them."""

import collections
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from fairseq.data import Dictionary
from fairseq.models.bart import BARTModel
from fairseq.models.bart.model import mbart_base_architecture
from text_model_cases import SIZES
from tiny_mbart import CONVENTIONS, language_symbols, write_fairseq_mbart
from toy import build_model, build_task, make_toy_data_bin

from fairseq_hmst.data.data_bin import DataBin
from fairseq_hmst.models.pretrained import PretrainedModelError
from fairseq_hmst.text_start import read_text_model
from fairseq_hmst.text_start.command import main
from preprocess.errors import NotFiniteError

OPTIONS = {name.replace("ffn_dim", "ffn_embed_dim"): size for name, size in SIZES.items()}


class Original:
    """fairseq's model with random weights, in a folder as released."""

    def __init__(self, folder: Path, convention: str) -> None:
        self.folder = write_fairseq_mbart(folder, convention)
        languages = language_symbols(convention)
        self.dictionary = Dictionary.load(str(next(folder.glob("dict*.txt"))))
        for symbol in (*(f"[{language}]" for language in languages), "<mask>"):
            self.dictionary.add_symbol(symbol)
        options = {**OPTIONS, "encoder_embed_dim": 16, "decoder_embed_dim": 16, "max_source_positions": 256}
        options |= {"encoder_normalize_before": True, "decoder_normalize_before": True, "layernorm_embedding": True}
        self.options = Namespace(**options, max_target_positions=128, dropout=0.0, arch="mbart_base")
        self.options.task = "translation_from_pretrained_bart"
        self.options.langs = ",".join(languages) if convention == "mbart-cc25" else None  # mBART-50 has a file instead
        mbart_base_architecture(self.options)
        torch.manual_seed(0)
        dictionaries = Namespace(source_dictionary=self.dictionary, target_dictionary=self.dictionary)
        self.model = BARTModel.build_model(self.options, dictionaries).eval()
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter += 0.2 * torch.randn(parameter.shape)
        self.save(args=self.options)

    def save(self, more: dict | None = None, old_form: bool = False, **options: object) -> None:
        """Write model.pt with the options where `options` puts them."""
        content = {"args": None, **options, "model": self.model.state_dict(), "extra_state": {}, **(more or {})}
        torch.save(content, self.folder / "model.pt", _use_new_zipfile_serialization=not old_form)

    def ids(self, task) -> torch.Tensor:
        """Id of our output dictionary -> id of fairseq's."""
        return torch.tensor(
            [
                self.dictionary.index(f"[{symbol}]" if f"[{symbol}]" in self.dictionary else symbol)
                for symbol in task.target_dictionary.symbols
            ]
        )


@pytest.fixture(scope="module", params=CONVENTIONS)
def original(request, tmp_path_factory) -> Original:
    return Original(tmp_path_factory.mktemp("release"), request.param)


@pytest.fixture(scope="module")
def data_bin(original, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    return make_toy_data_bin(folder, text_model=original.folder, targets=("fr", "de"))


@pytest.mark.parametrize("form", ["args", "cfg", "older torch"])
def test_logits_are_those_of_fairseq(original, data_bin, tmp_path, form):
    if form == "cfg":
        original.save(cfg={"model": original.options, "task": vars(original.options)})
    else:
        original.save(args=original.options, old_form=form == "older torch")
    file = tmp_path / "mbart.pt"
    assert main(["--from", str(original.folder), "--data", str(data_bin), "--out", str(file)]) == 0
    task = build_task(data_bin)
    ids, dataset = original.ids(task), task.dataset("valid")
    assert len(ids) < len(original.dictionary), "the test wants a pruned dictionary"
    batch = dataset.collater([dataset[row] for row in range(21, 29)])
    net_input = batch["net_input"]
    model = build_model(task, "hmst_aed", dropout=0.0, init_from=str(file))
    theirs = {name: ids[net_input[name]] for name in ("src_tokens", "prev_output_tokens")}
    expected, _ = original.model(**theirs, src_lengths=net_input["src_lengths"])
    is_token = batch["target"].ne(1)
    found = model(**net_input).attention_logits
    torch.testing.assert_close(found[is_token], expected[..., ids][is_token], atol=1e-5, rtol=0)
    assert model.max_positions() == (256, 128)


@pytest.mark.parametrize("old_form", [False, True])
def test_a_pickle_that_names_more_is_listed_and_loaded_only_if_trusted(original, data_bin, caplog, old_form):
    original.save({"extra": collections.Counter("ab"), "path": Path("x")}, old_form, args=original.options)
    with pytest.raises(PretrainedModelError, match=r"could run any code .*: .*collections.Counter.*--trust-pickle"):
        read_text_model(str(original.folder), DataBin(data_bin), trust_pickle=False)
    read_text_model(str(original.folder), DataBin(data_bin), trust_pickle=True)
    assert "is loaded with all that it names" in caplog.text
    assert "collections.Counter" in caplog.text


@pytest.mark.parametrize("old_form", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_checkpoint_is_refused(original, data_bin, old_form, share):
    original.save(args=original.options, old_form=old_form)
    path = original.folder / "model.pt"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(PretrainedModelError, match="model.pt: cannot be read"):
        read_text_model(str(path), DataBin(data_bin), trust_pickle=False)


def test_a_checkpoint_that_is_no_mbart_is_refused(original, data_bin):
    def read() -> None:
        read_text_model(str(original.folder), DataBin(data_bin), trust_pickle=False)

    path = original.folder / "model.pt"
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(PretrainedModelError, match="expected a checkpoint of fairseq, found another file of torch"):
        read()
    torch.save({"model": {}, "args": Namespace(arch="lstm")}, path)
    with pytest.raises(PretrainedModelError, match="expected a checkpoint of fairseq's mBART"):
        read()
    state = original.model.state_dict()
    del state["encoder.layer_norm.weight"]
    torch.save({"model": state, "args": original.options}, path)
    with pytest.raises(PretrainedModelError, match="expected mBART, .*encoder has no layer_norm.weight"):
        read()
    state = original.model.state_dict() | {"decoder.output_projection.weight": torch.zeros(1)}
    torch.save({"model": state, "args": original.options}, path)
    with pytest.raises(PretrainedModelError, match=r"one embedding .* but decoder.output_projection.weight is another"):
        read()
    state = original.model.state_dict() | {"decoder.output_projection.bias": torch.zeros(1)}
    torch.save({"model": state, "args": original.options}, path)
    with pytest.raises(PretrainedModelError, match=r"decoder.output_projection.bias: expected an output layer that is"):
        read()
    state = original.model.state_dict()
    state["encoder.layers.0.fc1.weight"] = state["encoder.layers.0.fc1.weight"] * torch.nan
    torch.save({"model": state, "args": original.options}, path)
    with pytest.raises(
        NotFiniteError, match=r"model.pt: encoder.layers.0.fc1.weight holds NaN or infinite values in r"
    ):
        read()


def test_rows_that_the_dictionary_does_not_explain_are_refused(original, data_bin):
    state = original.model.state_dict()
    for name in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "decoder.output_projection.weight"):
        state[name] = torch.cat([state[name], state[name][:3]])
    torch.save({"model": state, "args": original.options}, original.folder / "model.pt")
    number = len(original.dictionary)
    with pytest.raises(PretrainedModelError, match=f"has {number + 3} rows, but .* or {number} with <mask>"):
        read_text_model(str(original.folder), DataBin(data_bin), trust_pickle=False)
