"""From verdicts to pages: frozen view models, charts, Jinja templates. Knows nothing of DuckDB, PostgreSQL or Dagster."""
