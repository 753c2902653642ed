"""Memory by architecture, against published numbers, sums worked by hand, and what must hold for any shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config import load_config
from pipelines.config.model_facts import Layers, ModelFacts
from pipelines.selfhost.memory import GB, Fit, Room, cache_bytes, cache_tokens, fit, weight_bytes


def facts(model: str) -> ModelFacts:
    found = load_config(None).model_facts.of(model)
    assert found is not None
    return found


def layers_of(model: str) -> tuple[Layers, ...]:
    known = facts(model).layers
    assert known is not None
    return known.value


@pytest.mark.parametrize(
    ("model", "per_token"),
    [
        ("deepseek-v3", 70_272),
        ("deepseek-v3.2", 70_272 + 8_052),
        ("kimi-k2", 70_272),
        ("qwen3-235b-a22b", 192_512),
        ("qwen3-30b-a3b", 98_304),
        ("qwen3-32b", 262_144),
        ("qwen3-14b", 163_840),
        ("qwen3-8b", 147_456),
        ("qwen3-4b", 147_456),
        ("qwen3-1.7b", 114_688),
        ("qwen3-0.6b", 114_688),
        ("llama-3.3-70b-instruct", 327_680),
        ("deepseek-r1-distill-llama-70b", 327_680),
        ("llama-4-scout", 196_608),
        ("mixtral-8x22b", 229_376),
        ("gpt-oss-120b", 73_728),
        ("gpt-oss-20b", 49_152),
        ("gemma-3-27b-it", 507_904),
        ("command-r-plus", 262_144),
        ("phi-4", 204_800),
        ("grok-1", 262_144),
    ],
)
def test_the_first_token_takes_the_published_bytes(model: str, per_token: int) -> None:
    """Bytes per token in 16 bits, as developers and serving projects publish them for these shapes."""
    assert cache_bytes(layers_of(model), 1) == per_token


@pytest.mark.parametrize(
    ("model", "tokens", "gb"),
    [
        ("gemma-3-27b-it", 32_768, 3.1),  # 16.6 with the windows forgotten
        ("gemma-3-27b-it", 131_072, 11.2),  # 66.6
        ("gpt-oss-120b", 131_072, 4.8),  # 9.7
        ("llama-4-scout", 1_000_000, 50.4),  # 197 with the chunks forgotten
        ("llama-4-scout", 10_000_000, 493),  # 1,966
    ],
)
def test_windows_and_chunks_stop_growing(model: str, tokens: int, gb: float) -> None:
    assert cache_bytes(layers_of(model), tokens) / GB == pytest.approx(gb, rel=0.01)


def test_gemma_by_hand() -> None:
    """10 whole layers and 52 with a window of 1,024: 2 x 16 heads x 128 numbers x 2 bytes = 8,192 bytes for each layer and token."""
    assert cache_bytes(layers_of("gemma-3-27b-it"), 32_768) == 10 * 8_192 * 32_768 + 52 * 8_192 * 1_024


def test_weights_by_hand() -> None:
    assert weight_bytes(70.6, 16) / GB == pytest.approx(141.2)
    assert weight_bytes(70.6, 8) / GB == pytest.approx(70.6)
    assert weight_bytes(70.6, 4) / GB == pytest.approx(35.3)
    assert weight_bytes(116.8, 4.25) / GB == pytest.approx(62.05)


@pytest.mark.parametrize(
    ("model", "bits", "tokens", "room", "expected"),
    [
        ("gpt-oss-120b", 4.25, 131_072, Room(80), True),  # 62.1 + 4.8 GB on one GPU; the report: "Multi-GPU"
        ("llama-4-scout", 4, 131_072, Room(80), True),  # 54.5 + 7.7 GB; the report: "data center cluster"
        ("llama-3.3-70b-instruct", 4, 8_192, Room(48), True),
        ("llama-3.3-70b-instruct", 4, 8_192, Room(24), False),  # the report: "24 to 48 GB"
        ("mistral-large-3", 4, 8_192, Room(80, 2), False),  # 337 GB; the report: "2xA100 80GB"
        ("qwen3-235b-a22b", 4, 65_536, Room(80, 2), True),
        ("qwen3-235b-a22b", 8, 8_192, Room(80, 2), False),  # holds at 4 bits only
        ("gemma-3-27b-it", 4, 8_192, Room(16), False),  # 13.7 GB of weights in 14.4: the report's "8 to 16 GB" is tight
        ("qwen3-32b", 4, 16_384, Room(24), True),
        ("grok-1", 4, 8_192, Room(80, 2), False),
    ],
)
def test_what_fits_on_the_hardware_of_the_report(
    model: str, bits: float, tokens: int, room: Room, expected: bool
) -> None:
    found = fit(facts(model), room, bits=bits, tokens=tokens)
    assert isinstance(found, Fit)
    assert found.fits is expected


def test_what_is_not_known_gives_the_line_that_mends_it() -> None:
    assert fit(facts("gpt-4o"), Room(80), bits=4, tokens=1) == (
        "model_facts.yaml states no total_params_b of gpt-4o: add it to a statement of that model"
    )
    assert "states no layers of pixtral-12b" in str(fit(facts("pixtral-12b"), Room(80), bits=4, tokens=1))


def test_a_latent_vector_lies_on_every_gpu_and_heads_are_shared_out() -> None:
    """8 GPUs: DeepSeek's vector lies on each; of Llama's 8 heads each has one; Qwen's 4 heads can't be split 8 ways."""
    assert cache_bytes(layers_of("deepseek-v3"), 1000, gpus=8) == 70_272 * 1000
    assert cache_bytes(layers_of("llama-3.3-70b-instruct"), 1000, gpus=8) == 327_680 * 1000 // 8
    assert cache_bytes(layers_of("qwen3-235b-a22b"), 1000, gpus=8) == 192_512 * 1000 // 4


_layer = st.builds(
    lambda count, heads, dim, keeps: Layers(
        count=count,
        kv_heads=heads,
        head_dim=dim,
        attention="full" if keeps is None else "window",
        keeps_tokens=keeps,
    ),
    st.integers(1, 80),
    st.integers(1, 16),
    st.sampled_from([64, 128, 256]),
    st.none() | st.integers(1, 10_000),
)


@given(st.lists(_layer, min_size=1, max_size=4), st.integers(0, 100_000), st.integers(0, 100_000), st.integers(1, 8))
def test_cache_grows_with_context_and_never_beyond_whole_layers(
    layers: list[Layers], one: int, other: int, gpus: int
) -> None:
    short, long = sorted((one, other))
    whole = [item.model_copy(update={"attention": "full", "keeps_tokens": None}) for item in layers]
    assert cache_bytes(layers, short, gpus=gpus) <= cache_bytes(layers, long, gpus=gpus)
    assert cache_bytes(layers, long) <= cache_bytes(whole, long)
    assert cache_bytes(layers, long, gpus=gpus) * gpus >= cache_bytes(layers, long)


@given(st.lists(_layer, min_size=1, max_size=3), st.integers(0, 10**10))
def test_the_tokens_that_fit_are_the_most_that_fit(layers: list[Layers], free: int) -> None:
    most = cache_tokens(layers, free)
    assert cache_bytes(layers, most) <= free
    assert most == 1 << 40 or cache_bytes(layers, most + 1) > free
