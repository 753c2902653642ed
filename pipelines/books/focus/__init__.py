"""Charges in FOCUS, the FinOps open cost and usage specification, versions 1.2 to 1.4.

`versions.py` is the one table of columns, `cost_and_usage.py` fills them from charges, `export.py` writes the files.
"""
