"""AWS: one request, what its failures mean, and the permissions that each operation needs."""
