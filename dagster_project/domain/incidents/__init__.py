"""What happened: incidents, when their phases began and how that is known, and what is computed from it."""
