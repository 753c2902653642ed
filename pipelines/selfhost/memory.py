"""Memory of a model: its weights, and the cache of keys and values by the kinds of its layers.

Weights take parameters x bits / 8. The cache takes, for each layer, the numbers that it keeps of a token, times the tokens that it
keeps: all of the context, or at most a sliding window or a chunk (`Layers` of `pipelines.config.model_facts`). Gigabytes are 10^9 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.config.model_facts import Layers, ModelFacts

GB = 10**9
CACHE_BYTES = 2
"""Bytes of a number in the cache, which is taken not to be kept in 8 bits."""
RESERVE = 0.10
"""Share of a GPU's memory that stays free for activations and the runtime: vLLM fills nine tenths by default."""


def weight_bytes(total_params_b: float, bits: float) -> float:
    """Bytes of the weights of `total_params_b` billion parameters at `bits` each."""
    return total_params_b * 1e9 * bits / 8


def cache_bytes(layers: Sequence[Layers], tokens: int, *, gpus: int = 1) -> int:
    """Bytes that each of `gpus` GPUs keeps of one context of `tokens` tokens, under tensor parallelism.

    Heads are shared out among the GPUs, a head never split; a latent vector and an indexer lie on each of them.
    """
    return sum(_layer_bytes(item, tokens, gpus) for item in layers)


def _layer_bytes(item: Layers, tokens: int, gpus: int) -> int:
    kept = tokens if item.keeps_tokens is None else min(tokens, item.keeps_tokens)
    if item.kv_heads is None:
        numbers = item.numbers_per_token
    else:
        numbers = item.numbers_per_token // item.kv_heads * -(-item.kv_heads // gpus)
    return item.count * kept * (numbers * CACHE_BYTES + item.indexer_bytes)


def cache_tokens(layers: Sequence[Layers], free_bytes: float, *, gpus: int = 1) -> int:
    """The longest context whose cache takes at most `free_bytes` on each GPU; up to 2^40 tokens."""
    low, high = 0, 1 << 40
    while low < high:
        middle = (low + high + 1) // 2
        if cache_bytes(layers, middle, gpus=gpus) <= free_bytes:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(frozen=True)
class Room:
    """`gpus` GPUs of `gpu_gb` gigabytes each, of which `reserve` stays free."""

    gpu_gb: float
    gpus: int = 1
    reserve: float = RESERVE

    @property
    def usable_bytes(self) -> float:
        """Bytes on each GPU for weights and cache."""
        return self.gpu_gb * GB * (1 - self.reserve)


@dataclass(frozen=True)
class Fit:
    """Whether a model fits: the bytes on each GPU, and the tokens of cache that its memory leaves room for."""

    fits: bool
    weight_bytes: float
    cache_bytes: int
    cache_tokens: int


def fit(facts: ModelFacts, room: Room, *, bits: float, tokens: int) -> Fit | str:
    """Whether weights at `bits` and the cache of a context of `tokens` tokens fit, or what is not known.

    `cache_tokens` are those of a context that the weights leave room for.
    """
    if facts.total_params_b is None:
        return missing(facts.model_id, "total_params_b")
    if facts.layers is None:
        return missing(facts.model_id, "layers")
    layers = facts.layers.value
    weights = weight_bytes(facts.total_params_b.value, bits) / room.gpus
    cache = cache_bytes(layers, tokens, gpus=room.gpus)
    free = room.usable_bytes - weights
    left = cache_tokens(layers, free, gpus=room.gpus) if free > 0 else 0
    return Fit(cache <= free, weights, cache, left)


def missing(model_id: str, fact: str) -> str:
    """The reason for an unknown: which fact is missing, and the line that mends it."""
    return f"model_facts.yaml states no {fact} of {model_id}: add it to a statement of that model"
