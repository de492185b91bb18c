"""Asking people before anything is changed: requests, who may answer, what an answer does, and the chain that proves it."""
