"""What is measured, and what prepares it: every function here is called in a fresh process by ``benchmarks.measure``.

Nightshift and its alternatives are in separate modules: the memory of one must not hold the libraries of the other.
"""
