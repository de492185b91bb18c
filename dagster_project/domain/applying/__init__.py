"""Making an approved change: what is seen of the cloud, the sagas that change it step by step, and the gates before each step."""
