"""Nightshift: the nightly memory of a platform team."""

__version__ = "0.1.0"
