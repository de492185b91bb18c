"""What a bill says: which of its rows are a machine's running, whose they are, and how its prices stand to ours."""
