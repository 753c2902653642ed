"""Landed files to typed records: what a file is, its lines, its columns, the rules that a row keeps, and the parsed store.

Nothing here knows what a record means: which fields are read is said by a `Layout`, which requests and bills fill. What a
request is stands in `pipelines.requests`, what a line of a bill is in `pipelines.bills`; this package imports neither.
"""
