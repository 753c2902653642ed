"""The bundled sample: a synthetic landing zone made by a seeded generator, in the formats of the real sources.

Nothing here reads a landing zone or knows how a format is parsed: that is what the sample is there to exercise. What
the sample declares as its sources is in `config/sources.yaml` in the same folder.
"""

from __future__ import annotations

from pipelines.sample.generator import GENERATOR_VERSION, SAMPLE_SEED, SampleError, generate_sample
from pipelines.sample.summary import SampleSummary, SourceSummary

__all__ = ["GENERATOR_VERSION", "SAMPLE_SEED", "SampleError", "SampleSummary", "SourceSummary", "generate_sample"]
