"""The lake: Parquet partitions that are replaced atomically, and the DuckDB engine that reads them with ``sql/``."""
