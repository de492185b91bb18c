"""Slack: clicks in. Nothing here decides anything."""
