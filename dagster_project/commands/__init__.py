"""The commands, a module each: options, and how their outcome is printed. What they do is in ``pipeline`` and ``defs``."""
