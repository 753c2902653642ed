"""The words of bills: which meter of ours a line charges, which category it is of, how many units a quantity counts."""

from __future__ import annotations

import re
from decimal import Decimal

from pipelines.meters import FEE_METERS, METERS_BY_NAME, fallback_chain

_METERS = {
    "input": "input_uncached",
    "uncached input": "input_uncached",
    "input no cache": "input_uncached",
    "cached input": "input_cache_read",
    "input cached": "input_cache_read",
    "cache read": "input_cache_read",
    "cache read input": "input_cache_read",
    "cache write": "input_cache_write",
    "cache write input": "input_cache_write",
    "cache creation": "input_cache_write",
    "cache creation input": "input_cache_write",
    **{
        words.format(life): f"input_cache_write_{life}"
        for life in ("5m", "30m", "1h", "12h")
        for words in ("input cache write {}", "cache write {}", "cache write {} input", "cache creation ephemeral {} input", "cache creation {}")
    },
    "audio input": "input_audio",
    "audio cached input": "input_audio_cache_read",
    "cached audio input": "input_audio_cache_read",
    "image input": "input_image",
    "image cached input": "input_image_cache_read",
    "output": "output_text",
    "reasoning": "output_reasoning",
    "audio output": "output_audio",
    "image output": "output_image",
    "web search": "web_search",
    "web search requests": "web_search",
    "grounding with google search": "web_search",
    "search units": "rerank_search",
    "pages": "document_page",
    "request": "request",
    "requests": "request",
    **{name.replace("_", " "): name for name in (*METERS_BY_NAME, *(fee.name for fee in FEE_METERS))},
}  # fmt: skip
_NOISE = re.compile(r"\b(tokens?|tool calls?|usage|model|text)\b")
_SAME = {
    "prompt": "input", "prompts": "input", "eingabe": "input", "eingaben": "input", "completion": "output", "completions": "output",
    "ausgabe": "output", "ausgaben": "output", "antwort": "output", "antworten": "output", "zwischengespeichert": "cached",
    "zwischengespeicherte": "cached", "lesen": "read", "schreiben": "write", "websuche": "web search", "websuchen": "web search",
    "anfrage": "request", "anfragen": "request", "seiten": "pages",
}  # fmt: skip
"""Words of bills that mean the same as those above."""
_CATEGORIES = (
    (
        "tax",
        re.compile(r"\b(tax(es)?|vat|gst|hst|mwst|ust|(umsatz|mehrwert)?steuern?|tva|iva|btw|moms)\b", re.IGNORECASE),
    ),
    (
        "credit",
        re.compile(
            r"\b(credits?(?! (?:card|purchase|top|pack))|refunds?|reversals?|promotions?|promotional|(?:applied|account) balance|balance applied|gutschrift(en)?|(rück)?erstattung(en)?|storno|stornierung(en)?|guthaben|avoirs?)\b",
            re.IGNORECASE,
        ),
    ),
    ("discount", re.compile(r"\b(discounts?|\w*rabatte?|skonto|\w*nachlass|remises?)\b", re.IGNORECASE)),
    (
        "commitment",
        re.compile(
            r"\b(provisioned|scale tier|commitment|committed|commits?|prepaid(?!.*\b(?:tokens?|requests?|usage)\b)|shortfall|minimum (?:\w+ )?(?:spend|usage|charge|fee)|reservation|reserved|ptu|reserviert\w*|"
            r"reservierung(en)?|mindest(umsatz|abnahme)\w*|credits? (?:purchase|top[- ]?up|pack)s?)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "unexplained",
        re.compile(
            r"\b(rounding|rundung(sdifferenz)?|arrondis?|late (?:payment )?(?:fee|charge)s?|interest|mahngebühr(en)?|(?:verzugs)?zinsen)\b",
            re.IGNORECASE,
        ),
    ),
)
_BY_KIND = (
    (re.compile(r"^tax"), "tax"),
    (re.compile(r"credit|refund"), "credit"),
    (re.compile(r"discount$"), "discount"),
    (re.compile(r"^(purchase|rifee|savingsplan\w*fee|unusedreservation|unusedsavingsplan)$"), "commitment"),
    (re.compile(r"adjustment|rounding"), "unexplained"),
    (re.compile(r"usage$|^regular$"), "usage"),
)
"""Kinds of charge: FOCUS's ChargeCategory, the line item types of AWS's Cost and Usage Report, the cost types of Google's billing export."""
_NOUN = r"(?:tokens?|requests?|anfragen?|search(?:es)?|suchen?|calls?|aufrufe?|search units?|images?|bild(?:er)?|pages?|seiten?)"
_SCALES = {
    **dict.fromkeys(("k", "thousand", "thousands", "tsd", "tausend"), 1_000),
    **dict.fromkeys(("m", "mio", "million", "millions", "millionen"), 1_000_000),
}
_UNIT = re.compile(
    rf"^(?:per|pro|je)?\s*(?P<number>[1-9][0-9]{{0,2}}(?:[.,]?[0-9]{{3}})*)?\s*(?P<scale>{'|'.join(sorted(_SCALES, key=len, reverse=True))})?\.?\s*(?P<noun>{_NOUN}|tok)?$",
    re.IGNORECASE,
)


def meter_of(words: str | None) -> str | None:
    """Our meter for what a bill calls it; None for words that are not known."""
    if not words:
        return None
    plain = _NOISE.sub("", re.sub(r"[_./:()-]+", " ", words.lower()))
    return _METERS.get(" ".join(_SAME.get(word, word) for word in plain.split()))


def category_of(focus: str | None, line_item: str | None) -> str:
    """usage, tax, credit, discount, commitment or unexplained: the kind of charge where a bill gives one that is known, else what a line names."""
    kind = re.sub(r"[\s_-]", "", (focus or "").lower())
    known = next((name for words, name in _BY_KIND if words.search(kind)), None)
    said = next((name for name, words in _CATEGORIES if line_item and words.search(line_item)), "usage")
    # Clouds call the hours of provisioned throughput usage, and no request has used them.
    return said if known is None or (known, said) == ("usage", "commitment") else known


def units_in(quantity: Decimal | None, unit: str | None) -> Decimal | None:
    """The quantity as single units; None if the unit is none that we count. `1K` alone is a thousand of what the line's meter counts."""
    found = _UNIT.match((unit or "").replace("_", " ").strip())
    if quantity is None or found is None or not (found["noun"] or found["scale"]):
        return None
    number = int(re.sub("[.,]", "", found["number"] or "1"))
    return quantity * number * _SCALES.get((found["scale"] or "").lower(), 1)


def nearest(meter: str, billed: set[str]) -> str:
    """The meter itself, or the nearest more general one, that the bill names; the meter where it names none."""
    known = (meter, *fallback_chain(METERS_BY_NAME[meter])) if meter in METERS_BY_NAME else (meter,)
    return next((name for name in known if name in billed), meter)


def as_we_count(named: set[str], ours: set[str]) -> dict[str, str]:
    """Meters of the bill that we only count under a more general one, and that one: `input_cache_write_5m` as `input_cache_write`."""
    found = {}
    for name in named & METERS_BY_NAME.keys():
        general = (one for one in fallback_chain(METERS_BY_NAME[name]) if METERS_BY_NAME[one].parent)
        counted = next((one for one in general if one in ours - named), None)
        if counted:
            found[name] = counted
    return found


def is_token_meter(meter: str) -> bool:
    """Whether the meter counts tokens."""
    return meter in METERS_BY_NAME
