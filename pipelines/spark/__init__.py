"""A day's requests made by many machines: the functions of `pipelines.requests` and `pipelines.daily` on parts of the rows, under Spark.

Needs the extra `spark` and Java 17. Nothing else imports this room; `assets.engine` does, where a run asks for it.

    files.py     files are parsed, a task per file or per some small ones, into the store of parsed files
    pieces.py    what is in the store, cut into pieces of like size
    calls.py     which records may be of one call, and so have to be looked at together
    buckets.py   the pieces' rows dealt out into buckets; a bucket holds every call whole
    facts.py     a bucket to request facts, as Parquet by day, and what was dropped in it
    engine.py    the steps in their order

Executors write nothing but files: each task names what it wrote, and the driver takes what tasks that succeeded have named. So a task
that ran twice counts once.
"""
