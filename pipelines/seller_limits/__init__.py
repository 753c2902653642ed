"""Spend limits and alerts as sellers state them: a file of their API to rows of core.seller_limit. How a budget shows them is `pipelines.planning`."""
