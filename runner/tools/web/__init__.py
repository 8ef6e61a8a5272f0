"""Fetching one page of the web for a model: which addresses, how much, how long, and as what text."""
