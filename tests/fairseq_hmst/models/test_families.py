"""Claims that hold for every model family."""

import pytest
import torch
from fairseq.distributed.module_proxy_wrapper import ModuleProxyWrapper
from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY
from fairseq.modules import LearnedPositionalEmbedding
from omegaconf import OmegaConf
from torch.nn.parallel import DistributedDataParallel
from toy import batch_of, build_criterion, build_model, build_task

import fairseq_hmst.plugin  # noqa: F401

# options that starting from mBART sets, here from scratch
MBART_OPTIONS = {
    "layernorm_embedding": True,
    "learned_positions": True,
    "no_scale_embedding": True,
    "activation_fn": "gelu",
    "decoder_ffn_embed_dim": 24,
    "decoder_attention_heads": 4,
}
FAMILIES = {
    "aed": ("hmst_aed_tiny", {"target_ctc": True, "source_ctc_layer": 1}),
    "ctc": ("hmst_ctc_tiny", {}),
    "ctc_attention": ("hmst_ctc_attention_tiny", {}),
    "transducer": ("hmst_transducer_tiny", {"target_ctc": True}),
    "mbart": ("hmst_aed_tiny", MBART_OPTIONS),
}
SMALL = {"embed_dim": 16, "ffn_embed_dim": 32, "attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
SPEECH_WITHOUT_TRANSCRIPT, TEXT = (3, 10), range(21, 26)  # rows of valid
HEADS = ("attention_logits", "ctc_logits", "source_ctc_logits")


@pytest.fixture(params=[(name, kind) for name in FAMILIES for kind in ("transformer", "conformer")], ids="-".join)
def model(request, toy_task):
    name, kind = request.param
    architecture, options = FAMILIES[name]
    return build_model(toy_task, architecture, **SMALL | {"source_ctc_layer": 1, "encoder_type": kind} | options)


@pytest.mark.parametrize("architecture", sorted({architecture for architecture, _ in FAMILIES.values()}))
def test_no_method_is_hidden_by_one_of_several_processes(architecture):
    """fairseq's wrapper finds the methods of DistributedDataParallel before those of the model in it."""
    hidden = (set(dir(DistributedDataParallel)) | set(dir(ModuleProxyWrapper))) - set(dir(torch.nn.Module))
    model = MODEL_REGISTRY[architecture]
    assert hidden & set(dir(model)) - {"__abstractmethods__", "_abc_impl", "__slots__"} == set()


def test_batching_and_padding_change_no_score_of_any_head(model, toy_task):
    batch = batch_of(toy_task, [0, 1, 2, 22, 25])
    assert len(set(batch["net_input"]["src_lengths"].tolist())) > 1
    together = model(**batch["net_input"])
    for number, row in enumerate(batch["id"].tolist()):
        single = batch_of(toy_task, [row])
        alone = model(**single["net_input"])
        num_source = int(single["net_input"]["src_lengths"][0])
        num_target = single["target"].size(1)
        for head in HEADS:
            if getattr(alone, head) is not None:
                valid = num_target if head == "attention_logits" else num_source
                batched = getattr(together, head)[number, :valid]
                torch.testing.assert_close(batched, getattr(alone, head)[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("rows", [range(10), SPEECH_WITHOUT_TRANSCRIPT, TEXT])
def test_every_parameter_receives_a_gradient_from_every_batch(model, toy_task, rows):
    """Otherwise torch's DistributedDataParallel, fairseq's default, would wait for it."""
    criterion = build_criterion(toy_task, source_ctc_streams="st")
    model.zero_grad(set_to_none=True)
    loss, _, _ = criterion(model.train(), batch_of(toy_task, rows))
    loss.backward()
    without = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert without == []


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("hmst_aed_tiny", ("attention",)),
        ("hmst_ctc_tiny", ("ctc",)),
        ("hmst_ctc_attention_tiny", ("joint", "attention", "ctc")),
        ("hmst_transducer_tiny", ("transducer",)),
    ],
)
def test_a_model_names_the_decodings_it_has_heads_for(toy_task, architecture, expected):
    assert build_model(toy_task, architecture, **SMALL | {"source_ctc_layer": 0}).decodings == expected


@pytest.mark.parametrize("name", FAMILIES)
def test_options_tell_the_heads_that_have_losses(toy_task, name):
    architecture, options = FAMILIES[name]
    for layer in (0, 1):
        given = options | {"source_ctc_layer": layer, "encoder_layers": 2}
        found = build_model(toy_task, architecture, **SMALL | given)
        batch = batch_of(toy_task, range(4))
        losses = build_criterion(toy_task).head_losses(found(**batch["net_input"]), batch, False).losses
        config = OmegaConf.merge(OmegaConf.structured(MODEL_DATACLASS_REGISTRY[architecture]), given)
        assert type(found).heads_of(config) == found.heads == list(losses)


def test_asking_for_a_decoding_without_its_head_names_those_there_are(toy_data_bin):
    task = build_task(toy_data_bin, decoding="transducer")
    model = build_model(task, "hmst_ctc_tiny")
    with pytest.raises(ValueError, match="decoding transducer: the model has no head for it; it can decode by: ctc"):
        task.build_generator([model], None)


@pytest.mark.parametrize(
    ("task_options", "architecture", "options", "message"),
    [
        ({"mt_passes": 0.5, "streams": "st"}, "hmst_aed_tiny", {}, "mt_passes 0.5 has no effect with --streams st"),
        (
            {"ctc_decode_weight": 0.5},
            "hmst_aed_tiny",
            {},
            "ctc_decode_weight 0.5 has no effect with decoding atten",
        ),
        ({}, "hmst_aed_tiny", {"conformer_kernel": 7}, "--conformer-kernel 7 has no effect with --encoder-type transf"),
    ],
)
def test_an_option_without_effect_is_refused(toy_data_bin, task_options, architecture, options, message):
    with pytest.raises(ValueError, match=message):
        task = build_task(toy_data_bin, **task_options)
        task.build_generator([build_model(task, architecture, **SMALL | options)], None)


def test_a_source_ctc_layer_beyond_the_encoder_is_refused(toy_task):
    with pytest.raises(ValueError, match=r"--source-ctc-layer must lie in 0..2 \(--encoder-layers\), got 3"):
        build_model(toy_task, "hmst_aed_tiny", **SMALL | {"source_ctc_layer": 3})


def test_base_is_the_public_setting(toy_task):
    model = build_model(toy_task, "hmst_ctc_attention_base")
    layer = model.encoder.layers[0]
    assert len(model.encoder.layers) == 18
    assert len(model.decoder.layers) == 6
    assert model.source_ctc_layer == 12
    assert (layer.embed_dim, layer.self_attn.num_heads, layer.fc1.out_features) == (256, 4, 2048)


@pytest.mark.parametrize("kind", ["transformer", "conformer"])
def test_the_options_of_mbart_reach_encoder_and_decoder(toy_task, kind):
    model = build_model(toy_task, "hmst_aed_tiny", **SMALL | MBART_OPTIONS | {"encoder_type": kind})
    plain = build_model(toy_task, "hmst_aed_tiny", **SMALL | {"encoder_type": kind})
    for side in (model.encoder, model.decoder):
        assert side.layernorm_embedding is not None
        assert side.embed_scale == 1
        assert isinstance(side.embed_positions, LearnedPositionalEmbedding)
    for side in (plain.encoder, plain.decoder):
        assert side.layernorm_embedding is None
        assert side.embed_scale == 4
        assert not isinstance(side.embed_positions, LearnedPositionalEmbedding)
    layer = model.decoder.layers[0]
    assert (layer.fc1.out_features, layer.self_attn.num_heads, layer.encoder_attn.num_heads) == (24, 4, 4)
    x = torch.linspace(-3, 3, 7)
    first = model.encoder.layers[0]
    activations = [layer.activation_fn, first.ffn1.activation if kind == "conformer" else first.activation_fn]
    assert all(torch.equal(activation(x), torch.nn.functional.gelu(x)) for activation in activations)


def test_options_that_an_older_checkpoint_lacks_have_their_defaults(toy_task):
    model = build_model(toy_task, "hmst_aed_tiny", **SMALL)
    old = {"encoder_type": "transformer", "conformer_kernel": None, "source_ctc_layer": 0}
    old |= {"dropout": 0.1, "attention_dropout": 0.0, "activation_dropout": 0.0}
    old |= {"max_source_positions": 4096, "max_target_positions": 1024}
    for name in ("hmst_aed", "hmst_aed_tiny"):
        options = OmegaConf.create({"_name": name, "target_ctc": False, **SMALL, **old})
        again = toy_task.build_model(options, from_checkpoint=True).eval()
        again.load_state_dict(model.state_dict())
        net_input = batch_of(toy_task, [0, 22])["net_input"]
        assert torch.equal(again(**net_input).attention_logits, model(**net_input).attention_logits)
