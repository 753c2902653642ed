"""Pages as people read them, markdown or HTML, as headed sections of text and tables: `sections.sections_of`.

What a table means is for the rooms that ask: prices of sellers (`pipelines.prices.pages`), scores of boards (`pipelines.benchmarks`).
"""
