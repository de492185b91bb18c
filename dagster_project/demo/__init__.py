"""The embedded PostgreSQL and the demo fleet: Nightshift without anything to connect to."""
