"""Answers that come in pages: all of them in one snapshot, or none.

A catalogue of which half is missing would close the prices of the other half as removed. How one request is made is
`client.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import orjson

from pipelines.fetch.client import Answer, Attempts, Clients, FetchLimits, PermanentFetchError, Query, get, safe_url
from pipelines.fetch.paging import PagingError, Token, next_page
from pipelines.fetch.redirects import origin


@dataclass(frozen=True)
class Link:
    """The answer holds the address of the next page at `name`; null on the last."""

    name: str


NEXT_PAGE: dict[str, Link | Token] = {
    "azure_retail": Link("NextPageLink"),
    "anthropic_limits": Token("page", "next_page"),
    "openai_limits": Token("after", "last_id", more="has_more"),
}
"""Formats whose answers come in pages, and how a page leads to the next."""


def get_pages(query: Query, style: Link | Token, clients: Clients, limits: FetchLimits, attempts: Attempts) -> Answer:
    """The first page and all that follow, as one JSON array of the answers, each byte for byte as it came.

    Each page is asked for as any answer is, again where that can help. Raises TransientFetchError or PermanentFetchError
    of the page that failed, which says its number; then nothing is kept. A page that leads to one that was seen, to
    another host, or to more than `limits.max_pages` is an error, too.
    """
    deadline = time.monotonic() + limits.paged_s
    query = replace(query, suffix=".json")
    first = get(query, clients, limits, attempts)
    if first.content is None:
        return first
    pages = [first.content]
    for number, url in enumerate(_following(query.url, pages, style), start=2):
        where = f"page {number}: "
        if number > limits.max_pages:
            raise PermanentFetchError(safe_url(url), f"{where}more than {limits.max_pages} pages")
        if time.monotonic() > deadline or sum(map(len, pages)) > limits.max_bytes:
            bound = f"{limits.paged_s:g} s" if time.monotonic() > deadline else f"{limits.max_bytes:,} bytes"
            raise PermanentFetchError(safe_url(url), f"{where}not complete after {bound}")
        page = get(replace(query, url=url, etag=None), clients, limits, attempts, place=where)
        pages.append(page.content or b"")
    content = pages[0] if len(pages) == 1 else b"[" + b",\n".join(pages) + b"]"
    return Answer(first.status, first.etag if len(pages) == 1 else None, ".json", content, first.url)


def _following(start: str, pages: list[bytes], style: Link | Token) -> Iterator[str]:
    """The url of each further page, read from the newest of `pages`."""
    seen, url = {start}, start
    while True:
        following = _next(url, orjson.loads(pages[-1]), style)
        if following is None:
            return
        what = style.name if isinstance(style, Link) else style.place
        if origin(following) != origin(start):
            raise PermanentFetchError(safe_url(url), f"{what} leads to another host: {safe_url(following)}")
        if following in seen:
            raise PermanentFetchError(safe_url(url), f"{what} leads back to a page that was read")
        seen.add(following)
        url = following
        yield following


def _next(url: str, answer: object, style: Link | Token) -> str | None:
    """The address of the page after `answer`, which `url` gave; None after the last."""
    if isinstance(style, Link):
        link = answer.get(style.name) if isinstance(answer, dict) else None
        return urljoin(url, str(link)) if link else None
    try:
        more = next_page(style, {}, answer, 0)
    except PagingError as error:
        raise PermanentFetchError(safe_url(url), str(error)) from None
    if more is None:
        return None
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in more]
    return parts._replace(query=urlencode([*kept, *more.items()])).geturl()
