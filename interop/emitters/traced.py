"""A tracer provider whose spans go over OTLP into the receiver, as an application's would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from interop.emitters.collector import collecting
from interop.emitters.receiver import receiving


@contextmanager
def traced(folder: Path, *, through_collector: bool = False) -> Iterator[TracerProvider]:
    """The provider in force while the block runs; at its end everything has been received."""
    with receiving(folder) as received, collecting(received) if through_collector else nullcontext(received) as otlp:
        provider = TracerProvider(resource=Resource.create({"service.name": "interop"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{otlp}/v1/traces")))
        trace.set_tracer_provider(provider)
        yield provider
        provider.shutdown()
