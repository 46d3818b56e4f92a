"""Tiny text models, data-bins made for them, and both as one case; each is made once and not to be changed."""

import atexit
import functools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from sentencepiece import SentencePieceProcessor
from tiny_mbart import language_symbols, write_hugging_face_mbart
from tiny_text_models import CONVENTIONS, write_text_model
from toy import build_model, build_task, make_toy_data_bin

# encoder and decoder of different sizes, so that none can stand for the other
SIZES = {
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 40,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 4,
}


END_LOGIT, END_LOGIT_OF_NLLB = 2.2, 9.0  # the latter has many more rows
END_BIAS_OF_UNTIED = 4.0  # an output of its own repeats what it likes
# --unshared-embeddings of a converted model
UNTIED = ("output", "decoder", "all")


@dataclass
class TextModelCase:
    """A model of Hugging Face's, a data-bin, and the converted file."""

    convention: str
    folder: Path
    data_bin: Path
    file: Path

    @functools.cached_property
    def task(self) -> Any:
        """The task on the data-bin, with the text stream as the one to decode."""
        return build_task(self.data_bin, eval_stream="mt")

    @functools.cached_property
    def reference(self) -> Any:
        """Hugging Face's own, without dropout, in evaluation mode."""
        return read_reference(self.folder)

    def model(self, architecture: str = "hmst_aed", **options: Any) -> Any:
        """Ours, started from the file, without dropout."""
        return build_model(self.task, architecture, dropout=0.0, init_from=str(self.file), **options)

    @functools.cached_property
    def row_of(self) -> torch.Tensor:
        """Id of the output dictionary -> id of Hugging Face's vocabulary, -1 of what that lacks.

        Those of mBART and NLLB are by the published layout, others by the tokenizers of transformers.
        """
        if self.convention in ("m2m-100", "opus-mt", "opus-mt-several"):
            symbols, unknown = self.task.target_dictionary.symbols, self.tokenizer.unk_token_id
            found = torch.tensor([self.tokenizer.convert_tokens_to_ids(symbol) for symbol in symbols])
            is_missing = torch.tensor([symbol != "<unk>" for symbol in symbols]) & (found == unknown)
            return found.masked_fill(is_missing, -1)
        pieces = SentencePieceProcessor(model_file=str(self.folder / "sentencepiece.bpe.model"))
        languages = language_symbols(self.convention)
        rows = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
        rows |= {pieces.id_to_piece(index): index + 1 for index in range(3, len(pieces))}
        rows |= {symbol: len(pieces) + 1 + number for number, symbol in enumerate(languages)}
        rows["<mask>"] = len(pieces) + 1 + len(languages)
        return torch.tensor([rows[symbol] for symbol in self.task.target_dictionary.symbols])

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The tokenizer of transformers."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.folder)

    @property
    def num_start_symbols(self) -> int:
        """Language symbols that every translation begins with."""
        return int(self.task.data_bin.language_symbols.target_form == "first_output")

    @property
    def no_text(self) -> list[int]:
        """Rows of the model that no translation has, beside end of sentence: padding, language symbols, <mask>."""
        rows = self.row_of[sorted({1, *self.task.data_bin.language_symbols.output_ids})]
        return rows.tolist()

    def batch(self, rows: range = range(21, 29)) -> dict[str, Any]:
        """A batch of valid; rows from 21 on are text."""
        dataset = self.task.dataset("valid")
        return dataset.collater([dataset[row] for row in rows])

    def reference_inputs(self, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
        """The same batch for Hugging Face's model."""
        source = batch["net_input"]["src_tokens"]
        decoder_input = self.row_of[batch["net_input"]["prev_output_tokens"]]
        if self.convention.startswith("opus"):
            decoder_input[:, 0] = self.reference.config.decoder_start_token_id
        return {"input_ids": self.row_of[source], "attention_mask": source.ne(1), "decoder_input_ids": decoder_input}


def text_model_case(
    convention: str,
    keep_all_pieces: bool = True,
    targets: tuple[str, ...] | None = None,
    repeat: int = 4,
    untied: str | None = None,
) -> TextModelCase:
    """A case with random weights, biases and layer norms; see make_toy_data_bin for the arguments.

    Without `targets` it has the two languages of the toy corpus where the model has them. With `untied`, one of UNTIED,
    the model has several embeddings; see write_random_model.
    """
    return _make_case(convention, keep_all_pieces, targets, repeat, untied)


@functools.cache
def _make_case(
    convention: str, keep_all_pieces: bool, targets: tuple[str, ...] | None, repeat: int, untied: str | None
) -> TextModelCase:
    from fairseq_hmst.text_start.command import main

    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    targets = targets or (("fr",) if convention == "opus-mt" else ("fr", "de"))
    model = write_random_model(folder / "model", convention, untied)
    data_bin = make_toy_data_bin(
        folder, text_model=model, targets=targets, keep_all_pieces=keep_all_pieces, repeat=repeat
    )
    case = TextModelCase(convention, model, data_bin, folder / "mbart.pt")
    assert main(["--from", str(model), "--data", str(data_bin), "--out", str(case.file)]) == 0
    return case


def write_random_model(folder: Path, convention: str, untied: str | None = None, **config: Any) -> Path:
    """A model of a convention, with biases and layer norms that are random too.

    Args:
        folder: where to.
        convention: of the model.
        untied: embeddings that have other values than the encoder's: of the output, of the decoder's input and output
            (in Opus-MT by share_encoder_decoder_embeddings), or of each, all three different.
        config: fields of the model's configuration.
    """
    shares_alone = untied == "decoder" and convention.startswith("opus")
    if untied:
        config |= {"share_encoder_decoder_embeddings": False} if shares_alone else {"tie_word_embeddings": False}
    if convention in CONVENTIONS:
        write_text_model(folder, convention, **config)
    else:
        write_hugging_face_mbart(folder, convention, **SIZES | config)
    model = read_reference(folder)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.2 * torch.randn(parameter.shape)
        _let_hypotheses_end(model, convention, untied)
        if untied == "output":
            model.model.decoder.embed_tokens.weight.copy_(model.model.encoder.embed_tokens.weight)
        if untied == "decoder":
            model.model.decoder.embed_tokens.weight.copy_(model.lm_head.weight)
    model.save_pretrained(folder)
    return folder


def _let_hypotheses_end(model: Any, convention: str, untied: str | None) -> None:
    """Raise the logit of </s> so that most hypotheses end after some tokens."""
    decoder, end = model.model.decoder, model.config.eos_token_id
    bias = (decoder.layers[-1].final_layer_norm if convention.startswith("opus") else decoder.layer_norm).bias
    end_logit = END_LOGIT_OF_NLLB if convention.startswith("nllb") else END_LOGIT
    if untied and convention.startswith("opus"):
        model.final_logits_bias[0, end] += END_BIAS_OF_UNTIED
    elif untied and convention == "m2m-100":
        end_logit = END_BIAS_OF_UNTIED
    model.lm_head.weight[end] += end_logit * bias / bias.square().sum()


def read_reference(folder: Path) -> Any:
    """Hugging Face's model in a folder, without dropout and layers that are left out, in evaluation mode."""
    from transformers import AutoModelForSeq2SeqLM

    none = {"dropout": 0.0, "attention_dropout": 0.0, "encoder_layerdrop": 0.0, "decoder_layerdrop": 0.0}
    return AutoModelForSeq2SeqLM.from_pretrained(folder, **none).eval()


class TextAlone:
    """For Hugging Face's `generate`: after the forced beginning no padding, no language symbol and no <mask>."""

    def __init__(self, case: TextModelCase, num_forced: int, never: tuple[int, ...]) -> None:
        self.num_forced = num_forced
        self.never = [*case.no_text, *never]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if input_ids.size(1) < self.num_forced:
            return scores
        scores = scores.clone()
        scores[:, self.never] = -torch.inf
        return scores


def search_by_hugging_face(
    case: TextModelCase,
    source: torch.Tensor,
    language: int,
    beam: int,
    length_penalty: float,
    max_tokens: int,
    never=(),
) -> list[tuple[list[int], float]]:
    """The `beam` best (rows of the translation without symbols, score) of one sentence.

    Args:
        case: with all pieces kept.
        source: (T,) rows.
        language: row of the language symbol; not read where the model has none.
        beam: of the search.
        length_penalty: fairseq's lenpen.
        max_tokens: of the translation; at this length fairseq and Hugging Face follow different rules.
        never: rows that no translation shall have.
    """
    eos = case.reference.config.eos_token_id
    start = {"decoder_start_token_id": eos, "forced_bos_token_id": language}
    if case.convention == "mbart-cc25":
        start = {"decoder_start_token_id": language}
    if case.convention.startswith("opus"):
        start = {"decoder_start_token_id": case.reference.config.pad_token_id}
    num_forced = len(start)
    output = case.reference.generate(
        input_ids=source.unsqueeze(0),
        attention_mask=torch.ones_like(source).unsqueeze(0),
        **start,
        num_beams=beam,
        num_return_sequences=beam,
        length_penalty=length_penalty,
        early_stopping=True,
        min_new_tokens=num_forced,  # one of the text
        max_new_tokens=num_forced + max_tokens,
        logits_processor=[TextAlone(case, num_forced, never)],
        return_dict_in_generate=True,
        output_scores=True,
    )
    rows = [sequence[num_forced:] for sequence in output.sequences.tolist()]
    ended = [row[: row.index(eos)] if eos in row else row for row in rows]
    return list(zip(ended, output.sequences_scores.tolist(), strict=True))
