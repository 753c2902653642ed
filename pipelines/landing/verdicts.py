"""What people decided about landed files: one small file per decision, next to the file that it is about.

`<file>.<instant>.review.json` holds `sha256`, `verdict` and `decided_at`. Nothing is written over: a later decision about the
same content is another file and counts instead. What a verdict means is decided where files are reviewed (`pipelines.prices`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.landing.files import Kind, LandedFile, LandingError, LandingProblem
from pipelines.landing.names import REVIEW_SUFFIX, is_decision, shown
from pipelines.landing.tree import entries, walk
from pipelines.landing.write import Put

VERDICTS = ("accept", "reject")


@dataclass(frozen=True)
class Verdicts:
    """`by_content` maps (source, sha256) to the newest verdict; `problems` are decisions that can't be read."""

    by_content: dict[tuple[str, str], str]
    problems: tuple[LandingProblem, ...]


def read_verdicts(root: Path, kind: Kind) -> Verdicts:
    """Every decision below `<root>/<kind>`."""
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    problems = []
    sources, _ = entries(root / kind, root, is_decision)
    paths = [path for source in sources if source.kind == "folder" for path in walk(source.path, root, is_decision)[0]]
    for path in sorted(paths):
        source, landing_path = shown(path.relative_to(root / kind).parts[0]), shown(path.relative_to(root).as_posix())
        try:
            content = json.loads(path.read_bytes())
            sha256, verdict = str(content["sha256"]), content["verdict"]
            at = datetime.fromisoformat(content["decided_at"]).astimezone(UTC).isoformat(timespec="microseconds")
            if verdict not in VERDICTS:
                raise ValueError
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            reason = f"is no decision: expected sha256, verdict ({' or '.join(VERDICTS)}) and decided_at; nothing is decided by it"
            problems.append(LandingProblem(kind, source, landing_path, reason))
            continue
        newest[source, sha256] = max(newest.get((source, sha256), ("", "")), (at, verdict))
    return Verdicts({key: verdict for key, (_, verdict) in newest.items()}, tuple(problems))


def write_verdict(file: LandedFile, verdict: str, decided_at: datetime, put: Put) -> Path:
    """Put a decision next to the file it is about. Raises LandingError where the landing zone can't be written."""
    at = decided_at.astimezone(UTC)
    content = {"sha256": file.sha256, "verdict": verdict, "decided_at": at.isoformat()}
    path = file.path.with_name(f"{file.path.name}.{at:%Y%m%dT%H%M%S.%fZ}{REVIEW_SUFFIX}")
    try:
        put(path, (json.dumps(content, indent=2) + "\n").encode())
    except OSError as error:
        raise LandingError(
            f"{path.parent} can't be written ({type(error).__name__}). Where the landing zone is read only, put "
            f"{file.path.name} under options.{verdict} of the feed in sources.yaml"
        ) from None
    return path
