"""Takes a raw model name apart: seller, region, and the name itself in one spelling.

These are text rules only. `registry.py` knows which models exist, and `models.yaml` what counts as a provider, an
organisation or a spelling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_GEOGRAPHY = r"us-gov|us|eu|apac|ap|global|regional|jp|au|ca|sa|me|af|in"
_REGION = re.compile(rf"^(?:(?:{_GEOGRAPHY})|(?:{_GEOGRAPHY}|cn|il|mx)-[a-z]+-\d|global-standard|data-zone)$")
_REGION_PREFIX = re.compile(rf"^({_GEOGRAPHY})\.(?=[a-z0-9]+\.)")
_VENDOR_PREFIX = re.compile(r"^([a-z0-9_-]+)\.(?=[a-z])")
_QUALIFIER = re.compile(
    r"^(?:\d+-x-\d+|max-x-max|\d+-steps|max-steps|standard|hd|low|medium|high|\d+-month-commitment)$"
)
_BARE_VERSION = re.compile(r"^v?\d+(?:\.\d+)*$")
_BEDROCK_VERSION = re.compile(r"(?:-v1:0|(?<=-\d{8})-v\d+:0)(?::\d+k)?$")
_ANY_VERSION = re.compile(r"@(?:default|latest)$")
_DASHED_DATE = re.compile(r"-(20\d\d)-(\d\d)-(\d\d)(?=$|-)")
_SEPARATORS = re.compile(r"[^a-z0-9+/]+")
_AROUND_FOLDERS = re.compile(r"-?/-?")

MOVING = "-latest"
"""Endings of names that mean one version today and another one tomorrow."""
DATE_SUFFIX = re.compile(rf"(?:-20\d{{6}}|{MOVING})$")
"""The end of a `key` that names a snapshot of a model by its day, or the newest one."""


@dataclass(frozen=True)
class NameParts:
    """A raw name taken apart. `name` is lower case, without seller, region, organisation and platform version."""

    name: str
    provider_id: str | None
    region: str
    short: str = ""
    """The name without the folders before it that may be part of it or of a path (`/data/hf/llama-3`)."""


@dataclass(frozen=True)
class Words:
    """What the declarations know of names: sellers, spellings, and organisations that models are named after."""

    providers: Mapping[str, str]
    """Every known name of a seller or of a price list of one, lower case, to its id."""
    sellers: Mapping[str, str]
    """Every price list to its seller."""
    organisations: frozenset[str]
    """Sellers and developers: what may stand before a model's name, as a folder or with a dot."""
    spellings: Sequence[tuple[re.Pattern[str], str]]


def split_name(raw: str, words: Words, seller: str) -> NameParts:
    """Seller, region and name of `raw`, as the seller or price list `seller` (an id; empty: not known) writes it.

    `bedrock/us-east-1/anthropic.claude-sonnet-4-5-20250929-v1:0` is sold by aws in us-east-1 and is named
    `claude-sonnet-4-5-20250929`. The folders of seller, organisation and path are split off before anything else, so that
    `snowflake/openai-gpt-5` and `openai/gpt-5` have nothing in common. Folders after the organisation are part of the name
    (`deepseek/deepseek-v3/community`), and so are image sizes, qualities and commitments, because they change the price:
    `hd/1024-x-1024/dall-e-3`.
    """
    *folders, name = raw.strip().lower().split("/")
    provider_id, region, kept = _folders(folders, words, seller)
    if folders and _BARE_VERSION.match(name):
        name = f"{folders[-1]}-{name}"
        kept = kept[:-1] if kept[-1:] == folders[-1:] else kept
    if match := _REGION_PREFIX.match(name):
        region = match[1]
        name = name[match.end() :]
    vendor = _VENDOR_PREFIX.match(name)
    if vendor and vendor[1] in words.organisations:
        if provider_id is None and _BEDROCK_VERSION.search(name):
            provider_id = words.providers.get("bedrock")
        name = name[vendor.end() :]
    name = _BEDROCK_VERSION.sub("", name)
    name = re.sub(r"[@\s]+", "-", _ANY_VERSION.sub("", name)).strip("-")
    for pattern, replacement in words.spellings:
        name = pattern.sub(replacement, name)
    short = [folder for folder in kept if _QUALIFIER.match(folder)]
    return NameParts("/".join([*kept, name]), provider_id, region, "/".join([*short, name]))


def _folders(folders: Sequence[str], words: Words, seller: str) -> tuple[str | None, str, list[str]]:
    """Seller and region by the folders before a name, and those folders that are part of the name."""
    provider_id, region, organisation, kept = None, "", "", list[str]()
    path_ends = max((at for at, folder in enumerate(folders) if folder == "models"), default=-1)
    for at, folder in enumerate(folders):
        known = words.providers.get(folder, folder if at == 0 and folder == seller else None)
        if known is not None and provider_id is None:
            is_own = not seller or words.sellers.get(known, known) == words.sellers.get(seller, seller)
            provider_id, organisation = known, "" if is_own else folder
        elif _REGION.match(folder):
            region = folder
        elif _QUALIFIER.match(folder):
            kept.append(folder)
        elif folder in words.organisations:
            organisation = folder
        elif at <= path_ends or folder[:1] in ("", "@"):
            continue  # accounts/fireworks/models/..., projects/.../publishers/google/models/..., @cf/meta/...
        elif not organisation:
            organisation = folder
        else:
            kept.append(folder)
    return provider_id, region, kept


def key_of(name: str) -> str:
    """The form that two spellings of one name share: `claude-sonnet-4.5` and `Claude Sonnet 4 5` give `claude-sonnet-4-5`.

    A dashed day becomes a compact one: `gpt-4o-2024-08-06` and `gpt-4o-20240806` are one name. Folders stay apart:
    `openai/gpt-5` is another key than `openai-gpt-5`. Vertex' `@default` and `@latest` say no version.
    """
    words = _AROUND_FOLDERS.sub("/", _SEPARATORS.sub("-", _ANY_VERSION.sub("", name.lower())).strip("-"))
    return _DASHED_DATE.sub(r"-\1\2\3", words)
