"""Canonical identity: names that must meet, names that must stay apart, and names that must stay unresolved."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.models import Registry, alias_frame, build_registry, model_frame, resolve_names, resolve_requests
from pipelines.warehouse.tables.core import MODEL, MODEL_ALIAS

FEED_NAMES = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-2024-08-06"),
    ("openai", "gpt-4.1-mini"),
    ("openai", "ft:gpt-4o-2024-08-06"),
    ("azure", "azure/gpt-4.1-mini"),
    ("bedrock", "bedrock/us-east-1/anthropic.claude-opus-4-7-20260416-v1:0"),
    ("openrouter", "anthropic/claude-opus-4.7"),
    ("anthropic", "claude-opus-4-7"),
    ("openrouter", "openrouter/meta-llama/llama-3.1-8b-instruct"),
    ("fireworks_ai", "fireworks_ai/accounts/fireworks/models/llama-v3p1-8b-instruct"),
    ("openrouter", "deepseek/deepseek-r1:free"),
    ("openai", "hd/1024-x-1024/dall-e-3"),
    ("openai", "dall-e-3"),
]


def names(rows: list[tuple[str, str]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"provider_id": pl.String, "raw_name": pl.String}, orient="row")
    return frame.with_columns(pl.lit("some_feed").alias("feed"), pl.lit("").alias("same_as"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return build_registry(load_config(None).models, names(FEED_NAMES))


@pytest.mark.parametrize(
    ("provider", "raw", "model", "method", "confidence"),
    [
        ("", "claude-sonnet-4-5", "claude-sonnet-4-5", "exact", 1.0),
        ("", "GPT-4o", "gpt-4o", "exact", 1.0),
        ("openrouter", "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "provider_prefix", 0.95),
        ("google", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5", "date_suffix", 0.95),
        ("aws", "anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "provider_prefix", 0.95),
        ("aws", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "region_prefix", 0.95),
        ("aws", "bedrock/us-east-1/anthropic.claude-opus-4-7-20260416-v1:0", "claude-opus-4-7", "feed_alias", 1.0),
        ("", "claude-4-sonnet", "claude-sonnet-4", "alias", 1.0),
        ("", "Claude Sonnet 4.5", "claude-sonnet-4-5", "alias", 1.0),
        ("", "claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20240620", "exact", 1.0),
        ("", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet", "alias", 1.0),
        ("", "gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "exact", 1.0),
        ("", "gpt-4o-20240806", "gpt-4o-2024-08-06", "alias", 1.0),
        ("", "gpt-4o-2031-01-31", "gpt-4o", "date_suffix", 0.8),
        ("", "meta.llama3-1-8b-instruct-v1:0", "llama-3.1-8b-instruct", "provider_prefix", 0.95),
        ("fireworks", "accounts/fireworks/models/llama-v3p1-8b-instruct", "llama-3.1-8b-instruct", "provider_prefix", 0.95),
        ("openrouter", "openai/gpt-4o:nitro", "gpt-4o", "variant_suffix", 0.8),
        ("openrouter", "deepseek/deepseek-r1:free", "deepseek-r1:free", "feed_alias", 1.0),
        ("openai", "ft:gpt-4o-2024-08-06:acme::abc123", "ft:gpt-4o-2024-08-06", "fine_tune", 0.9),
        ("openai", "hd/1024-x-1024/dall-e-3", "hd/1024-x-1024/dall-e-3", "exact", 1.0),
        ("ollama", "qwen3:32b", "qwen3-32b", "alias", 1.0),
        ("aws", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
         "claude-sonnet-4-5", "region_prefix", 0.95),
        ("aws", "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5",
         "provider_prefix", 0.95),
        ("aws", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "region_prefix", 0.95),
        ("google", "projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929", "claude-sonnet-4-5",
         "provider_prefix", 0.95),
        ("azure", "azure/eu/gpt-4o", "gpt-4o", "region_prefix", 0.95),
        ("azure", "gpt-4o-2024-08-06.ft-0123abcd", "ft:gpt-4o-2024-08-06", "fine_tune", 0.9),
        ("openrouter", "openai/gpt-4o:batch", "gpt-4o", "variant_suffix", 0.8),
        ("openrouter", "anthropic/claude-sonnet-4.5:thinking", "claude-sonnet-4-5", "variant_suffix", 0.8),
        ("anthropic", "claude-sonnet-4-5-20250929[1m]", "claude-sonnet-4-5", "date_suffix", 0.95),
        ("vllm", "Qwen/Qwen3-32B-AWQ", "qwen3-32b", "variant_suffix", 0.8),
        ("vllm", "neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8", "llama-3.1-8b-instruct", "variant_suffix", 0.8),
    ],
)  # fmt: skip
def test_names_that_are_known(
    registry: Registry, provider: str, raw: str, model: str, method: str, confidence: float
) -> None:
    found = registry.resolve(provider, raw)
    assert (found.model_id, found.method, found.confidence) == (model, method, confidence)


@pytest.mark.parametrize(
    "raw",
    [
        "gpt-4o-audio-preview",
        "gpt-4",
        "gpt-4o-mini",
        "claude-sonnet-4-55",
        "claude",
        "",
        "o3-pro",
        "deepseek-r1-zero:free",
        "gpt-4o:free",  # another price than gpt-4o's, so never taken for it
        "gpt-4o-mini-awq",
        "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc123def456",
        "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/xyz",
    ],
)
def test_a_prefix_or_a_likeness_is_never_a_match(registry: Registry, raw: str) -> None:
    found = registry.resolve("", raw)
    assert found.model_id == ("gpt-4" if raw == "gpt-4" else None)  # gpt-4 is declared, the others are unknown here
    assert (found.confidence == 0) == (found.model_id is None)


def test_the_developers_own_spelling_names_a_model() -> None:
    both = names([("openrouter", "openai/gpt-4-1-mini"), ("openai", "gpt-4.1-mini"), ("x", "gpt.4.1.mini")])
    registry = build_registry(load_config(None).models, both)
    assert registry.resolve("", "gpt-4-1-mini").model_id == "gpt-4.1-mini"


def test_the_registry_does_not_depend_on_the_order_of_names(registry: Registry) -> None:
    other = build_registry(load_config(None).models, [names([row]) for row in reversed(FEED_NAMES)])
    assert model_frame(other, ModelFactsConfig()).equals(model_frame(registry, ModelFactsConfig()))
    assert other.ids_by_key == registry.ids_by_key


def test_users_own_deployment_names_go_first() -> None:
    config = load_config(None).models
    own = config.model_validate(
        config.model_dump() | {"deployments": [{"name": "Team-A", "model": "gpt-4o", "provider": "azure_openai"}]}
    )
    registry = build_registry(own, [])
    assert registry.resolve("azure", "team-a").method == "deployment"
    assert registry.resolve("openai", "team-a").model_id is None


def test_frames_resolve_each_row_and_keep_their_order(registry: Registry) -> None:
    frame = pl.DataFrame(
        {"provider_id": ["openai", None, "openai"], "raw_name": ["gpt-4o", None, "made-up"], "row": [0, 1, 2]},
        schema_overrides={"provider_id": pl.String, "raw_name": pl.String},
    )
    resolved = resolve_names(frame, registry)
    assert resolved["row"].to_list() == [0, 1, 2]
    assert resolved["model_id"].to_list() == ["gpt-4o", None, None]
    assert resolved["method"].to_list() == ["exact", "unresolved", "unresolved"]


def request(**values: str | None) -> dict[str, str | None]:
    return {"provider_id": None, "request_model": None, "response_model": None, "region": "", **values}


@pytest.mark.parametrize(
    ("values", "provider", "model", "region"),
    [
        ({"provider_id": "vertex_ai", "request_model": "claude-sonnet-4-5"}, "google", "claude-sonnet-4-5", ""),
        ({"request_model": "azure/gpt-4o"}, "azure", "gpt-4o", ""),
        ({"request_model": "gpt-4o"}, "openai", "gpt-4o", ""),
        ({"request_model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}, "aws", "claude-sonnet-4-5", "us"),
        ({"request_model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "region": "us-east-1"}, "aws", "claude-sonnet-4-5", "us"),
        ({"request_model": "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "region": "eu-north-1"}, "aws", "claude-sonnet-4-5", "global"),
        ({"request_model": "anthropic.claude-sonnet-4-5-20250929-v1:0", "region": "eu-north-1"}, "aws", "claude-sonnet-4-5", "eu-north-1"),
        ({"request_model": "gpt-4o", "response_model": "gpt-4o-2024-08-06"}, "openai", "gpt-4o-2024-08-06", ""),
        ({"request_model": "gpt-4o", "response_model": "chatcmpl-router"}, "openai", "gpt-4o", ""),
        ({"request_model": "llama-3.3-70b-instruct"}, None, "llama-3.3-70b-instruct", ""),
        ({"request_model": "Qwen/Qwen3-32B"}, None, "qwen3-32b", ""),
        ({"request_model": "together_ai/Qwen/Qwen3-32B"}, "together", "qwen3-32b", ""),
        ({"request_model": "nobody-knows-this"}, None, None, ""),
    ],
)  # fmt: skip
def test_requests_get_model_seller_and_region(
    registry: Registry, values: dict[str, str | None], provider: str | None, model: str | None, region: str
) -> None:
    frame = pl.DataFrame([request(**values), request()], schema=dict.fromkeys(request(), pl.String))
    row, empty = resolve_requests(frame, registry).rows(named=True)
    assert (row["provider_id"], row["model_id"], row["region"]) == (provider, model, region)
    assert (empty["provider_id"], empty["model_id"], empty["resolution_method"]) == (None, None, "unresolved")


def test_a_name_that_ends_in_batch_is_served_as_batch(registry: Registry) -> None:
    rows = [
        {**request(request_model="openai/gpt-4o:batch"), "service_tier": "standard"},
        {**request(request_model="openai/gpt-4o"), "service_tier": "standard"},
        {**request(request_model="openai/gpt-4o:batch"), "service_tier": "flex"},
    ]
    resolved = resolve_requests(pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String)), registry)
    assert resolved["service_tier"].to_list() == ["batch", "standard", "flex"]
    assert resolved["model_id"].to_list() == ["gpt-4o"] * 3


def test_frames_for_the_warehouse(registry: Registry) -> None:
    models = model_frame(registry, ModelFactsConfig())
    assert models.schema == MODEL.polars_schema
    assert models["model_id"].n_unique() == models.height
    introduced = models.filter(pl.col("model_id") == "claude-opus-4-7").row(0, named=True)
    assert (introduced["developer"], introduced["openness"], introduced["decided_by"]) == (
        "anthropic",
        "closed",
        "some_feed",
    )
    stated = model_frame(registry, load_config(None).model_facts)
    scout = stated.filter(pl.col("model_id") == "llama-4-scout").row(0, named=True)
    assert (scout["license"], scout["total_params_b"], scout["context_tokens"]) == ("Llama-4", 109, 10_000_000)
    assert scout["released_date"] == date(2025, 4, 5)
    assert stated.drop("license", "total_params_b", "active_params_b", "context_tokens", "released_date").equals(
        models.drop("license", "total_params_b", "active_params_b", "context_tokens", "released_date")
    )
    aliases = alias_frame(registry, names([("openai", "GPT-4o"), ("openai", "gpt-4o"), ("openai", "made-up")]))
    assert aliases.schema == MODEL_ALIAS.polars_schema
    assert aliases.select("raw_name", "model_id").rows() == [("gpt-4o", "gpt-4o"), ("made-up", None)]


def test_a_feeds_word_that_two_names_are_one_counts_where_nothing_else_knows_the_name() -> None:
    rows = [("openai", "gpt-5", ""), ("openai", "gpt-5-chat", "gpt-5"), ("azure", "gpt-5", ""), ("azure", "gpt-5-chat", "gpt-5"),
            ("openai", "gpt-5-codex", "gpt-5"), ("openrouter", "gpt-5-codex", ""), ("a", "m1", ""), ("b", "m2", ""),
            ("a", "shared", "m1"), ("b", "shared", "m2")]  # fmt: skip
    schema = dict.fromkeys(("provider_id", "raw_name", "same_as"), pl.String)
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.lit("feed").alias("feed"))
    registry = build_registry(load_config(None).models, frame)
    found = registry.resolve("openai", "gpt-5-chat")
    assert (found.model_id, found.method, found.confidence) == ("gpt-5", "feed_alias", 0.9)
    assert registry.resolve("", "gpt-5-chat").model_id == "gpt-5"
    assert registry.resolve("openai", "gpt-5-codex").model_id == "gpt-5-codex"  # another feed prices it on its own
    assert [registry.resolve(seller, "shared").model_id for seller in ("a", "b", "")] == ["m1", "m2", None]


@pytest.mark.parametrize(
    ("foreign", "own", "asked"),
    [
        (("snowflake", "snowflake/openai-gpt-5"), ("openai", "gpt-5"), ("openai", "openai/gpt-5")),
        (("bedrock_mantle", "bedrock_mantle/xai.grok-4"), ("xai", "xai/grok-4"), ("xai", "grok-4")),
        (("mistral", "mistral/zai-glm-9"), ("zai", "zai/glm-9"), ("zai", "zai/glm-9")),
        (("databricks", "databricks/databricks-gpt-5"), ("openai", "gpt-5"), ("databricks", "databricks/gpt-5")),
        (("acme", "acme/newco-model-1"), ("newco", "newco/model-1"), ("newco", "newco/model-1")),
        (("acme", "acme/newco.model-1"), ("newco", "newco/model-1"), ("newco", "newco/model-1")),
    ],
)
def test_a_feeds_spelling_takes_no_other_sellers_name(
    foreign: tuple[str, str], own: tuple[str, str], asked: tuple[str, str]
) -> None:
    registry = build_registry(load_config(None).models, names([foreign, own]))
    assert registry.resolve(*asked).model_id == own[1].rpartition("/")[2]


@pytest.mark.parametrize(
    ("provider", "raw", "name"),
    [
        ("novita", "novita/deepseek/deepseek-v3/community", "deepseek-v3/community"),
        ("novita", "deepseek/deepseek-v3/community", "deepseek-v3/community"),
        ("fal_ai", "fal_ai/fal-ai/recraft/v3/text-to-image", "recraft/v3/text-to-image"),
        ("fal_ai", "fal_ai/bria/text-to-image/3.2", "text-to-image-3.2"),
        ("fireworks", "accounts/fireworks/models/qwen3-32b", "qwen3-32b"),
        ("cloudflare", "cloudflare/@cf/meta/llama-2-7b-chat-fp16", "llama-2-7b-chat-fp16"),
        ("acme", "acme/ranking/nvidia/nemotron-9", "nemotron-9"),
        ("azure", "azure/standard/1024-x-1024/dall-e-3", "standard/1024-x-1024/dall-e-3"),
    ],
)
def test_folders_behind_the_organisation_belong_to_the_name(provider: str, raw: str, name: str) -> None:
    assert build_registry(load_config(None).models, []).split(raw, provider).name == name


def test_a_path_before_a_known_name_is_no_part_of_it(registry: Registry) -> None:
    for raw in ("/data/hub/models--x/llama-3.1-8b-instruct", "huggingface/novita/some-org/llama-3.1-8b-instruct"):
        assert registry.resolve("vllm", raw).model_id == "llama-3.1-8b-instruct"


def test_a_name_that_repeats_the_seller_is_another_list_where_both_stand() -> None:
    both = [("perplexity", "perplexity/sonar"), ("perplexity", "perplexity/perplexity/sonar")]
    registry = build_registry(load_config(None).models, names(both))
    assert registry.resolve("perplexity", "perplexity/sonar").model_id == "sonar"
    assert registry.resolve("perplexity", both[1][1]).model_id == "perplexity/perplexity/sonar"
    alone = build_registry(load_config(None).models, names([("openrouter", "openrouter/openrouter/auto")]))
    assert alone.resolve("openrouter", "openrouter/auto").model_id == "auto"


@pytest.mark.parametrize(
    ("reported", "seller"),
    [
        ("anthropic.messages", "anthropic"),
        ("openai.chat", "openai"),
        ("openai.responses", "openai"),
        ("OpenAI.Embedding", "openai"),
        ("azure.chat", "azure"),
        ("azure-openai.responses", "azure"),
        ("google.generative-ai", "google"),
        ("google.vertex.chat", "google"),
        ("vertex.anthropic.messages", "google"),
        ("googleVertex.anthropic.messages", "google"),
        ("amazon-bedrock", "aws"),
        ("bedrock.anthropic.messages", "aws"),
        ("aws.bedrock", "aws"),
        ("xai.responses", "x-ai"),
        ("mistral.chat", "mistral"),
        ("togetherai.embedding", "together"),
        ("z.ai.chat", "zai"),
        ("az.ai.openai", "azure"),
        ("microsoft.foundry", "azure"),
        ("gcp.vertex.agent", "google"),
        ("perplexityai", "perplexity"),
        ("openai_responses", "openai"),
        ("alibaba_cloud", "dashscope"),
        ("gateway", "vercel"),
        ("ibm.watsonx.ai", "watsonx"),
        ("Azure OpenAI", "azure"),
        ("AzureOpenAI.chat", "azure"),
        ("Amazon Bedrock", "aws"),
        ("AnthropicBedrock", "aws"),
        ("Vertex AI", "google"),
        ("google_vertexai", "google"),
        ("Mistral AI", "mistral"),
        ("fireworks.completion", "fireworks"),
        ("lmstudio.chat", "lmstudio.chat"),
        ("my.openai", "my.openai"),
    ],
)
def test_a_seller_with_its_interface_is_the_longest_part_that_is_known(
    registry: Registry, reported: str, seller: str
) -> None:
    """Vercel's AI SDK writes `vendor.api`; a dot inside a known name, or before one, means nothing."""
    assert registry.provider(reported) == seller
    request = pl.DataFrame(
        {"provider_id": [reported], "response_model": ["gpt-4o"], "request_model": ["gpt-4o"], "region": [""]}
    )
    found = resolve_requests(request, registry).row(0, named=True)
    assert (found["provider_id"], found["model_id"]) == (seller, "gpt-4o")
