"""The model families in words."""

FAMILIES = {
    "hmst_aed": "attentional encoder-decoder",
    "hmst_ctc": "CTC",
    "hmst_ctc_attention": "joint CTC and attention",
    "hmst_transducer": "RNN transducer",
}
