"""Action items with a real PostgreSQL, a GitHub and a Slack over HTTP."""
