"""Answers that come in pages: all of them in one snapshot, or none.

A catalogue of which half is missing would close the prices of the other half as removed. How one request is made is
`client.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urljoin

import orjson

from pipelines.fetch.client import Answer, Attempts, Clients, FetchLimits, PermanentFetchError, Query, get, safe_url
from pipelines.fetch.redirects import origin

NEXT_PAGE = {"azure_retail": "NextPageLink"}
"""Formats whose answers come in pages, and the field that holds the url of the next one; null on the last."""


def get_pages(query: Query, next_page: str, clients: Clients, limits: FetchLimits, attempts: Attempts) -> Answer:
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
    for number, url in enumerate(_following(query.url, pages, next_page), start=2):
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


def _following(start: str, pages: list[bytes], next_page: str) -> Iterator[str]:
    """The url of each further page, read from the newest of `pages`."""
    seen, url = {start}, start
    while True:
        answer = orjson.loads(pages[-1])
        link = answer.get(next_page) if isinstance(answer, dict) else None
        if not link:
            return
        following = urljoin(url, str(link))
        if origin(following) != origin(start):
            raise PermanentFetchError(safe_url(url), f"{next_page} leads to another host: {safe_url(following)}")
        if following in seen:
            raise PermanentFetchError(safe_url(url), f"{next_page} leads back to a page that was read")
        seen.add(following)
        url = following
        yield following
