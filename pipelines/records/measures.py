"""What a source may count of the usage of a model, by the name that layouts and columns (`usage.<measure>`) give it.

How the counts of one source become exclusive buckets is in `pipelines.requests.semantics`.
"""

from __future__ import annotations

MEASURES: dict[str, str] = {
    "input": "input tokens by the source's own count",
    "cache_read": "input tokens read from a cache, of every modality",
    "cache_write": "input tokens written to a cache, of every time to live",
    "cache_write_5m": "of these, with a time to live of 5 minutes",
    "cache_write_30m": "of these, 30 minutes",
    "cache_write_1h": "of these, 1 hour",
    "cache_write_12h": "of these, 12 hours",
    "input_audio": "audio input tokens",
    "input_audio_cache_read": "of these, read from a cache",
    "input_image": "image input tokens",
    "input_image_cache_read": "of these, read from a cache",
    "input_video": "video input tokens",
    "input_tool": "input tokens that the provider's tools added",
    "output": "output tokens by the source's own count",
    "reasoning": "reasoning output tokens",
    "output_audio": "audio output tokens",
    "output_image": "image output tokens",
    "total": "the source's own total",
}
"""Each measure and its meaning. A measure that a source does not give is null and counts as 0."""

TOTALS = ("input", "output", "total")
"""The measures that were billed; all others are details of them."""
