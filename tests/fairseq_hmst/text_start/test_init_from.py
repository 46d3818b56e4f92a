"""--init-from and --finetune: what a model takes from a converted file, and what it trains."""

import logging
from dataclasses import replace

import pytest
import torch
from fairseq.models import MODEL_DATACLASS_REGISTRY
from omegaconf import OmegaConf
from text_model_cases import UNTIED, text_model_case
from toy import build_criterion, build_model, build_task

from fairseq_hmst.models.aed import AedConfig
from fairseq_hmst.models.pretrained import PretrainedModel, PretrainedModelError


@pytest.fixture(scope="module")
def case():
    """One target language, so that CTC heads are possible."""
    return text_model_case("mbart-50", keep_all_pieces=False, targets=("fr",))


def test_the_architecture_stands_in_the_options_that_checkpoints_store(case):
    defaults = OmegaConf.to_container(OmegaConf.structured(AedConfig), enum_to_str=True)
    options = OmegaConf.create(defaults | {"_name": "hmst_aed", "init_from": str(case.file)})
    model = case.task.build_model(options)
    assert (options.embed_dim, options.decoder_layers, options.decoder_attention_heads) == (16, 3, 4)
    options.init_from = "gone.pt"
    again = case.task.build_model(options, from_checkpoint=True)
    again.load_state_dict(model.state_dict())
    logits = [each.eval()(**case.batch()["net_input"]).attention_logits for each in (model, again)]
    assert torch.equal(*logits)


@pytest.mark.parametrize(
    ("architecture", "options", "heads"),
    [("hmst_aed", {}, set()), ("hmst_ctc_attention", {"source_ctc_layer": 1}, {"ctc_head", "source_ctc_head"})],
)
def test_all_but_the_heads_is_the_file_s(case, architecture, options, heads):
    state = torch.load(case.file, weights_only=True)["state"]
    model = case.model(architecture, **options)
    parameters = dict(model.named_parameters())
    assert {name.split(".")[0] for name in parameters.keys() - state.keys()} == heads
    assert all(torch.equal(parameters[name], tensor) for name, tensor in state.items())
    assert model.decoder.output_projection.weight is model.encoder.embed_tokens.text.weight
    assert model.decoder.embed_tokens is model.encoder.embed_tokens.text


def test_every_parameter_receives_a_gradient(case):
    model = case.model("hmst_ctc_attention", source_ctc_layer=1).train()
    loss, _, _ = build_criterion(case.task)(model, case.batch(range(15, 27)))
    loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_lna_trains_layer_norms_attention_units_and_heads_alone(case, caplog):
    with caplog.at_level(logging.INFO):
        model = case.model("hmst_ctc_attention", finetune="lna").train()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = torch.optim.SGD([parameter for parameter in model.parameters() if parameter.requires_grad], lr=1.0)
    loss, _, _ = build_criterion(case.task)(model, case.batch(range(15, 27)))
    loss.backward()
    optimizer.step()
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    frozen = ("fc1", "fc2", "text.weight", "embed_positions")
    assert not any(part in name for name in changed for part in frozen)
    # the bias of keys changes no attention, so it has no gradient
    assert all(any(part in name for part in (*frozen, "k_proj.bias")) for name in before.keys() - changed)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    total = sum(parameter.numel() for parameter in model.parameters())
    assert f"--finetune lna trains {trained:,} of {total:,} parameters" in caplog.text
    assert 0 < trained < total


def test_what_is_new_has_a_learning_rate_of_its_own(case):
    model = case.model("hmst_ctc_attention", new_lr_scale=5.0)
    scaled = {name for name, parameter in model.named_parameters() if getattr(parameter, "lr_scale", 1) == 5}
    assert scaled == {name for name, _ in model.named_parameters() if "units" in name or "ctc_head" in name}


def test_a_model_in_half_the_precision_computes_nearly_the_same(case):
    net_input, model = case.batch(range(15, 27))["net_input"], case.model("hmst_ctc_attention")
    expected = model(**net_input)
    found = model.to(torch.bfloat16)(**net_input)
    assert found.attention_logits.dtype == torch.bfloat16
    for name in ("attention_logits", "ctc_logits"):
        error = (getattr(found, name).float() - getattr(expected, name)).abs().mean()
        assert error < 0.05 * getattr(expected, name).abs().mean()


def test_families_without_an_attention_decoder_do_not_offer_it():
    for name, options in MODEL_DATACLASS_REGISTRY.items():
        if name.startswith("hmst_"):
            has_decoder = name.startswith(("hmst_aed", "hmst_ctc_attention"))
            assert hasattr(options, "init_from") == hasattr(options, "finetune") == has_decoder


def test_all_is_the_default(case):
    assert all(parameter.requires_grad for parameter in case.model().parameters())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"finetune": "lna"}, ValueError, "--finetune lna has no effect without --init-from"),
        ({"new_lr_scale": 2.0}, ValueError, "--new-lr-scale 2.0 has no effect without --init-from"),
        ({"init_from": "FILE", "new_lr_scale": 0.0}, ValueError, "--new-lr-scale must be above 0, got 0.0"),
        ({"init_from": "nowhere.pt"}, PretrainedModelError, "nowhere.pt: no such file; make it by `hmst text-start"),
        ({"init_from": "FILE", "embed_dim": 32}, PretrainedModelError, "--embed-dim is 32, but .*mbart.pt has 16"),
        ({"init_from": "FILE", "decoder_layers": 2}, PretrainedModelError, "--decoder-layers is 2, but .* has 3"),
    ],
)
def test_options_that_do_not_fit_are_refused(case, options, error, message):
    options = {name: str(case.file) if value == "FILE" else value for name, value in options.items()}
    with pytest.raises(error, match=message):
        build_model(case.task, "hmst_aed", **options)


def test_a_file_for_another_data_bin_is_refused(case, toy_task):
    with pytest.raises(PretrainedModelError, match=r"made for another data-bin: one with a dict.src.txt of sha256"):
        build_model(toy_task, "hmst_aed", init_from=str(case.file))


@pytest.mark.parametrize("damage", ["truncated", "another file", "empty"])
def test_a_file_that_is_not_whole_is_refused(case, tmp_path, damage):
    path = tmp_path / "mbart.pt"
    content = case.file.read_bytes()
    path.write_bytes({"truncated": content[: len(content) // 2], "another file": content, "empty": b""}[damage])
    if damage == "another file":
        torch.save({"model": {}}, path)
    with pytest.raises(PretrainedModelError, match=r"mbart.pt(: expected what|.* cannot be read)"):
        build_model(case.task, "hmst_aed", init_from=str(path))


def test_a_file_with_another_architecture_or_card_is_refused(case, tmp_path):
    content = torch.load(case.file, weights_only=True)
    path = tmp_path / "mbart.pt"
    for part, changed in (("architecture", {"embed_dim": "wide"}), ("card", {"seed": None})):
        torch.save(content | {part: content[part] | changed}, path)
        with pytest.raises(
            PretrainedModelError, match="mbart.pt: not in its form: .*make it again by `hmst text-start"
        ):
            PretrainedModel.read(path)


def test_a_file_that_is_read_and_written_again_is_the_same(case, tmp_path):
    written = replace(PretrainedModel.read(case.file), path=tmp_path / "again.pt")
    written.write()
    found, expected = (torch.load(path, weights_only=True) for path in (written.path, case.file))
    assert found.keys() == expected.keys()
    assert all(found[part] == expected[part] for part in ("format", "architecture", "card"))
    assert all(torch.equal(found["state"][name], tensor) for name, tensor in expected["state"].items())


def test_shared_embeddings_need_a_text_model(toy_task):
    with pytest.raises(ValueError, match="--share-embeddings needs one dictionary of text for source and target"):
        build_model(toy_task, "hmst_aed_tiny", share_embeddings=True)


def test_a_model_from_scratch_may_share_its_embeddings(case):
    model = build_model(case.task, "hmst_aed_tiny", share_embeddings=True)
    assert model.decoder.embed_tokens is model.encoder.embed_tokens.text
    assert len(model.encoder.embed_tokens.units.weight) == case.task.data_bin.card.dictionary.unit_subwords


def embeddings_of(model) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Those of text in the encoder, of the decoder's input, and of its output."""
    return (
        model.encoder.embed_tokens.text.weight,
        model.decoder.embed_tokens.weight,
        model.decoder.output_projection.weight,
    )


@pytest.mark.parametrize("start_with_padding", [False, True])
@pytest.mark.parametrize("unshared", [None, *UNTIED])
def test_some_embeddings_may_be_unshared(case, unshared, start_with_padding):
    options = {"unshared_embeddings": unshared, "start_with_padding": start_with_padding}
    model = build_model(case.task, "hmst_aed_tiny", share_embeddings=True, **options)
    encoder, decoder, output = embeddings_of(model)
    assert (decoder is encoder) == (unshared in (None, "output"))
    assert (output is decoder) == (unshared in (None, "decoder"))
    assert (output is encoder) == (unshared is None)


def test_unshared_embeddings_without_shared_ones(case):
    with pytest.raises(ValueError, match="--unshared-embeddings all has no effect without --share-embeddings"):
        build_model(case.task, "hmst_aed_tiny", unshared_embeddings="all")


@pytest.mark.parametrize("unshared", UNTIED)
def test_unshared_embeddings_are_of_the_text_model_and_not_new(unshared):
    case = text_model_case("opus-mt", keep_all_pieces=False, untied=unshared)
    model = case.model("hmst_ctc_attention", finetune="lna", new_lr_scale=5.0)
    assert not any(table.requires_grad for table in embeddings_of(model))
    scaled = {name for name, parameter in model.named_parameters() if getattr(parameter, "lr_scale", 1) == 5}
    assert scaled == {name for name, _ in model.named_parameters() if "units" in name or "ctc_head" in name}
    model = case.model("hmst_ctc_attention", source_ctc_layer=1).train()
    build_criterion(case.task)(model, case.batch(range(15, 27)))[0].backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    model = case.model("hmst_ctc_attention", finetune="units")
    assert not any(table.requires_grad for table in embeddings_of(model))


def test_a_file_of_a_version_without_unshared_embeddings(case, tmp_path):
    content = torch.load(case.file, weights_only=True)
    del content["architecture"]["unshared_embeddings"]
    torch.save(content, tmp_path / "old.pt")
    assert PretrainedModel.read(tmp_path / "old.pt").architecture == PretrainedModel.read(case.file).architecture


def test_checkpoints_know_which_embeddings_are_unshared():
    case = text_model_case("mbart-50", keep_all_pieces=False, untied="all")
    options = OmegaConf.create(
        OmegaConf.to_container(OmegaConf.structured(AedConfig), enum_to_str=True)
        | {"_name": "hmst_aed", "init_from": str(case.file)}
    )
    model = case.task.build_model(options)
    assert options.unshared_embeddings == "all"
    options.init_from = "gone.pt"
    again = case.task.build_model(options, from_checkpoint=True)
    again.load_state_dict(model.state_dict())
    logits = [each.eval()(**case.batch()["net_input"]).attention_logits for each in (model, again)]
    assert torch.equal(*logits)


@pytest.mark.parametrize(
    ("architecture", "options", "head"),
    [
        ("hmst_ctc_attention_tiny", {}, "CTC"),
        ("hmst_aed_tiny", {"target_ctc": True}, "CTC"),
        ("hmst_ctc_tiny", {}, "CTC"),
        ("hmst_transducer_tiny", {}, "a transducer"),
    ],
)
def test_a_head_that_cannot_know_the_language_is_refused(architecture, options, head):
    for convention in ("mbart-cc25", "mbart-50"):
        task = text_model_case(convention).task  # into French and German
        with pytest.raises(ValueError, match=f"{head} cannot know which of de, fr to translate into"):
            build_model(task, architecture, **options)


def test_such_heads_are_there_where_sources_name_the_target_language(two_target_data_bin):
    task = build_task(two_target_data_bin)
    assert build_model(task, "hmst_transducer_tiny", target_ctc=True).decodings == ("transducer", "ctc")
