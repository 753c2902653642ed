"""The leaderboard exports of the sample, in the shapes of LMArena's catalogue and Aider's polyglot results.

All scores are invented, near the few that the landscape report quotes. The revisions are: on LMArena one model falls
beyond its interval between the second and third export, another rises between the third and fourth; in Aider's
results the cost of one run is corrected, one model is renamed and one run is new.
"""

from __future__ import annotations

import json
from datetime import date

from pipelines.sample.draws import Draws

LMARENA_DATES = (date(2026, 2, 1), date(2026, 2, 14), date(2026, 2, 21), date(2026, 2, 27))
AIDER_DATES = (date(2026, 1, 31), date(2026, 2, 24))

FALLEN_MODEL, FALLEN_POINTS = "gpt-4o-2024-11-20", 31
RISEN_MODEL, RISEN_POINTS = "qwen3-235b-a22b", 24
RENAMED_RUN = ("Qwen3 235B A22B", "qwen3-235b-a22b (no think)")
CORRECTED_COST = ("claude-sonnet-4-5-20250929", 3987, 4182)
"""Model, and USD cents of the whole run before and after the correction."""

# Name on the board and rating points; the rest of the board is filled with models that do not exist.
_RATINGS = {
    "gemini-3-pro": 1501, "gpt-5.2": 1484, "claude-sonnet-4-5-20250929": 1466, "deepseek-v3.2": 1460, "o3": 1438,
    "kimi-k2-0905-preview": 1431, "qwen3-235b-a22b": 1424, "deepseek-r1-0528": 1419, "mistral-large-3": 1414,
    "o1-2024-12-17": 1401, "deepseek-r1": 1396, "deepseek-v3-0324": 1391, "claude-3-7-sonnet-20250219": 1385,
    "gpt-4.5-preview": 1411, "gpt-oss-120b": 1373, "gpt-4o-2024-11-20": 1369, "gemma-3-27b-it": 1363,
    "gemini-2.0-flash-001": 1357, "qwen3-32b": 1352, "llama-4-maverick-17b-128e-instruct": 1341,
    "claude-3-5-sonnet-20241022": 1371, "deepseek-v3": 1361, "llama-3.3-70b-instruct": 1312, "gpt-oss-20b": 1318,
    "phi-4": 1289, "mixtral-8x22b-instruct-v0.1": 1233, "command-r-plus-08-2024": 1271, "gpt-4o-mini-2024-07-18": 1317,
}  # fmt: skip
_BOARD_SIZE = 60
_CATEGORIES = {"full": 0, "coding": 9, "creative_writing": -6, "hard_6": 4, "english": 2}

# Model, edit format, cases passed at the first and second try of 225, cost in USD cents, seconds per case in tenths.
_AIDER_RUNS = (
    ("gpt-5.2", "diff", 121, 198, 2711, 918), ("gemini-3-pro-preview", "diff-fenced", 112, 193, 3104, 1102),
    ("claude-sonnet-4-5-20250929", "diff", 98, 178, 3987, 441), ("o3", "diff", 88, 179, 1375, 523),
    ("DeepSeek V3.2", "diff", 74, 167, 132, 612), ("Kimi K2 0905", "diff", 51, 133, 201, 388),
    ("Qwen3 235B A22B", "diff", 42, 134, 0, 455), ("Mistral Large 3", "diff", 44, 117, 188, 297),
    ("gpt-oss-120b (high)", "diff", 36, 94, 74, 204), ("Qwen3 32B", "diff", 29, 90, 76, 372),
    ("gpt-4o-2024-11-20", "diff", 33, 41, 703, 124), ("Llama 4 Maverick", "whole", 17, 35, 0, 201),
    ("gemma-3-27b-it", "whole", 4, 11, 0, 798), ("llama-3.3-70b-versatile", "whole", 12, 30, 41, 66),
)  # fmt: skip
_NEW_RUN = ("Qwen3 235B A22B Thinking", "diff", 58, 151, 812, 1904)


def lmarena_json(day: date, seed: int) -> bytes:
    """One export: category, model, rating with its 95 % bounds. Models keep their scores but for noise of a point."""
    draws = Draws(seed, "lmarena", day.isoformat())
    export: dict[str, dict[str, dict[str, float]]] = {}
    ratings = _RATINGS | {f"sample-lm-{n:02d}": 1345 - 11 * n for n in range(1, _BOARD_SIZE - len(_RATINGS) + 1)}
    for category, shift in _CATEGORIES.items():
        noise, spread = draws.below(2001, len(ratings)) - 1000, draws.below(3000, len(ratings))
        export[category] = {}
        for index, (model, points) in enumerate(sorted(ratings.items())):
            fallen = FALLEN_POINTS if model == FALLEN_MODEL and day >= LMARENA_DATES[2] else 0
            risen = RISEN_POINTS if model == RISEN_MODEL and day >= LMARENA_DATES[3] else 0
            milli = 1000 * (points + shift + risen - fallen) + int(noise[index])
            below, above = 4000 + int(spread[index]), 4200 + int(spread[index])
            export[category][model] = {
                "rating": milli / 1000,
                "rating_q975": (milli + above) / 1000,
                "rating_q025": (milli - below) / 1000,
            }
    return json.dumps(export).encode()


def aider_yaml(day: date) -> bytes:
    """One edition of the results: a YAML list of runs, each with counts, rates in percent, cost and time."""
    is_revised = day >= AIDER_DATES[1]
    runs = [_aider_run(index, run, is_revised) for index, run in enumerate(_AIDER_RUNS)]
    if is_revised:
        runs.append(_aider_run(len(_AIDER_RUNS), _NEW_RUN, is_revised=True))
    return "\n".join(runs).encode()


def _aider_run(index: int, run: tuple[str, str, int, int, int, int], is_revised: bool) -> str:
    model, edit_format, passed_1, passed_2, cents, tenths = run
    day = date(2026, 1, 5 + index)
    slug = model.lower().replace(" ", "-")
    if is_revised and model == RENAMED_RUN[0]:
        model = RENAMED_RUN[1]
    if is_revised and model == CORRECTED_COST[0]:
        cents = CORRECTED_COST[2]
    lines = {
        "test_cases": "225", "model": model, "edit_format": edit_format, "commit_hash": f"5a3{index:04d}",
        "pass_rate_1": _percent(passed_1), "pass_rate_2": _percent(passed_2),
        "pass_num_1": str(passed_1), "pass_num_2": str(passed_2), "percent_cases_well_formed": "98.7",
        "error_outputs": "3", "num_malformed_responses": "3", "num_with_malformed_responses": "3", "user_asks": "41",
        "lazy_comments": "0", "syntax_errors": "0", "indentation_errors": "0", "exhausted_context_windows": "0",
        "test_timeouts": "2", "total_tests": "225", "command": f"aider --model {slug}", "date": day.isoformat(),
        "versions": "0.86.2.dev", "seconds_per_case": f"{tenths // 10}.{tenths % 10}",
        "total_cost": f"{cents // 100}.{cents % 100:02d}00",
    }  # fmt: skip
    body = "".join(f"  {key}: {value}\n" for key, value in lines.items())
    return f"- dirname: {day.isoformat()}-09-00-00--{slug}\n{body}"


def _percent(passed: int) -> str:
    """Of 225 cases, to one decimal, half up."""
    tenths = (passed * 2000 + 225) // 450
    return f"{tenths // 10}.{tenths % 10}"
