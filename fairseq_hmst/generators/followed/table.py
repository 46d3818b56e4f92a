"""The table of fairseq's options of generation: which searches follow each of them, and why the others do not.

The check of options and the table of docs/decoding.md are made of it.
"""

from dataclasses import dataclass, field

ATTENTION, LANGUAGES, JOINT, CTC, TRANSDUCER = SEARCHES = (
    "attention",
    "attention with language symbols",
    "joint",
    "ctc",
    "transducer",
)
ALL = frozenset(SEARCHES)
BY_ATTENTION = frozenset({ATTENTION, LANGUAGES})
TOKEN_BY_TOKEN = frozenset({ATTENTION, LANGUAGES, JOINT})
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Support:
    """Searches that follow an option.

    Attributes:
        by: their names, of SEARCHES.
        why: the others do not follow it; "" where all do.
        needs: another option that it has no effect without; "" where there is none.
        of_references: whether scoring references (--score-reference) follows it as well.
    """

    by: frozenset[str]
    why: str = ""
    needs: str = ""
    of_references: bool = field(default=False, kw_only=True)


_WHOLE_SEQUENCES = "CTC and transducers score whole sequences"
_NO_DISTRIBUTION = "joint scores are no distribution, and CTC and transducers score whole sequences"
_LANGUAGE_TOKEN = "a language symbol would be counted as a token"
_ITERATIVE = "no model refines its output iteratively"
_TWO_PASSES = "no model has two decoders"

SUPPORT = {
    "beam": Support(ALL),
    "nbest": Support(ALL),
    "lenpen": Support(ALL, of_references=True),
    "unnormalized": Support(ALL, of_references=True),
    "temperature": Support(ALL),
    "prefix_size": Support(ALL),
    "score_reference": Support(ALL - {JOINT}, "joint scores are no probabilities", of_references=True),
    "max_len_a": Support(ALL - {CTC}, "CTC writes at most one label a step of the encoder"),
    "max_len_b": Support(ALL - {CTC}, "CTC writes at most one label a step of the encoder"),
    "unkpen": Support(ALL - {CTC}, "a label of CTC may last several steps"),
    "min_len": Support(TOKEN_BY_TOKEN, _WHOLE_SEQUENCES),
    "no_repeat_ngram_size": Support(TOKEN_BY_TOKEN, _WHOLE_SEQUENCES),
    "lm_path": Support(TOKEN_BY_TOKEN, _WHOLE_SEQUENCES, "lm_weight"),
    "lm_weight": Support(TOKEN_BY_TOKEN, _WHOLE_SEQUENCES, "lm_path"),
    "sampling": Support(BY_ATTENTION, _NO_DISTRIBUTION),
    "sampling_topk": Support(BY_ATTENTION, _NO_DISTRIBUTION, "sampling"),
    "sampling_topp": Support(BY_ATTENTION, _NO_DISTRIBUTION, "sampling"),
    "diverse_beam_groups": Support(frozenset({ATTENTION}), f"{_LANGUAGE_TOKEN}; {_NO_DISTRIBUTION}"),
    "diverse_beam_strength": Support(
        frozenset({ATTENTION}), f"{_LANGUAGE_TOKEN}; {_NO_DISTRIBUTION}", "diverse_beam_groups"
    ),
    "diversity_rate": Support(frozenset({ATTENTION}), f"{_LANGUAGE_TOKEN}; {_NO_DISTRIBUTION}"),
    "print_alignment": Support(frozenset({ATTENTION}), "fairseq's aligning search has an ensemble of its own"),
    "sacrebleu": Support(ALL, of_references=True),
    "no_seed_provided": Support(ALL, of_references=True),  # fairseq sets it where no --seed is given
    "match_source_len": Support(NONE, "a translation is not as long as its source"),
    "constraints": Support(NONE, "batches have none"),
    "replace_unk": Support(NONE, "units and pieces of the source are no words of a translation"),
    "eos_token": Support(NONE, "the end of sentence is the dictionary's"),
    "no_early_stop": Support(NONE, "fairseq no longer reads it"),
    "no_beamable_mm": Support(NONE, "no model multiplies that way"),
    "retain_dropout": Support(NONE, "only some layers would"),
    "retain_dropout_modules": Support(NONE, "only some layers would"),
    "beam_mt": Support(NONE, _TWO_PASSES),
    "max_len_a_mt": Support(NONE, _TWO_PASSES),
    "max_len_b_mt": Support(NONE, _TWO_PASSES),
    "lenpen_mt": Support(NONE, _TWO_PASSES),
    "print_step": Support(NONE, _ITERATIVE),
    "iter_decode_eos_penalty": Support(NONE, _ITERATIVE),
    "iter_decode_max_iter": Support(NONE, _ITERATIVE),
    "iter_decode_force_max_iter": Support(NONE, _ITERATIVE),
    "iter_decode_with_beam": Support(NONE, _ITERATIVE),
    "iter_decode_with_external_reranker": Support(NONE, _ITERATIVE),
    "retain_iter_history": Support(NONE, _ITERATIVE),
    "decoding_format": Support(NONE, _ITERATIVE),
}
