"""Judging rules on recorded history: what a rule may see, what the following days showed, and the rules of the peers."""
