"""Forecasts of demand, by a well-kept library that is an extra: without it the guard says that it was not there."""
