"""Hybrid routing: what a day's traffic would have cost on other models, and how good the answers might have been.

    project(requests, rate_card, policies, scores) -> mart.routing_projection, mart.routing_frontier

Policies are declared in `routing.yaml` (`pipelines.config.routing`), prices are `pipelines.prices`, scores are
`pipelines.benchmarks`; every assumption is named in the rows and described in `docs/routing.md`.
"""

from __future__ import annotations

from pipelines.routing.projection import Routed, Setting, project, together

__all__ = ["Routed", "Setting", "project", "together"]
