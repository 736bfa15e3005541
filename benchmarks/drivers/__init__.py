"""Peers, each driven as its own users would drive it."""
