"""What is removed by age or on request, and what that leaves: charges, marts, prices and the index of files always stay.

    stored.prune_store      the parsed store: former parsers, former contents, old days
    tables.py               facts of old days, and what was set aside in old files
    files.py                pages of old days, and old logs of the landing zone
    facts.py                request facts as Parquet files, which the engine spark makes: old days, forgotten users, restated days
    removed.py              what was removed, in numbers; the size of folders

When each is called is `pipelines.daily.retention`; Dagster's history is `assets.history`.
"""
