"""Slack: messages out, clicks in. Nothing here decides anything."""
