"""Pure values and rules: no I/O, no Dagster, no DuckDB, no SDKs, no clock."""
