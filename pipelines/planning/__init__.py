"""What was spent against what was planned, and against what its own past lets expect: forecasts, budgets, anomalies.

Pure functions of daily series. Which series there are is `pipelines.daily.planning`; charges are `pipelines.books`.
"""
