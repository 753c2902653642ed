"""Google's SDK under the instruments named on the command line: openllmetry, openinference, official.

Arguments: the model server's address, the folder to write into, the instruments with commas.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path

from google import genai
from google.genai import errors, types

from interop.emitters.traced import traced
from interop.script import GEMINI, model_of

INSTRUMENTS = {
    "openllmetry": ("opentelemetry.instrumentation.google_generativeai", "GoogleGenerativeAiInstrumentor"),
    "openinference": ("openinference.instrumentation.google_genai", "GoogleGenAIInstrumentor"),
    "official": ("opentelemetry.instrumentation.google_genai", "GoogleGenAiSdkInstrumentor"),
}
_TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="The weather.",
            parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}),
        )
    ]
)


def main(url: str, folder: Path, names: list[str]) -> None:
    """Every case, plain and streamed."""
    with traced(folder) as provider:
        for name in names:
            module, kind = INSTRUMENTS[name]
            getattr(importlib.import_module(module), kind)().instrument(tracer_provider=provider)
        again = types.HttpRetryOptions(attempts=3, initial_delay=0.01, http_status_codes=[500])
        client = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=url, retry_options=again))
        for stream in (False, True):
            for case in (*GEMINI, "error"):
                with contextlib.suppress(errors.APIError):
                    call(client, case, stream=stream)


def call(client: genai.Client, case: str, *, stream: bool) -> None:
    """One call."""
    config = types.GenerateContentConfig(tools=[_TOOL] if case == "tools" else None)
    model = model_of("gemini", case, stream=stream)
    if not stream:
        client.models.generate_content(model=model, contents="hello", config=config)
        return
    for _ in client.models.generate_content_stream(model=model, contents="hello", config=config):
        pass


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(","))
