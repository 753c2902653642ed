-- Returns the rows that name an openness for a model that nobody knows.
select *
from {{ ref('daily_model_spend') }}
where {{ days_of_run() }} and model_id like 'unresolved: %' and openness <> 'unknown'
