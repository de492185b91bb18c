"""Past incidents from files: status page exports, Nightshift's own JSON lines, and postmortems in Markdown."""
