"""Where evidence comes from: adapters that read the outside world and know nothing of the lake or of Dagster."""
