"""Flightline: the system that tells whether a flight will arrive late.

One package a stage of the lifecycle. `from flightline import drift` gives what the
stage offers; `flightline/drift/core.py` is exported from the lab that builds it (change
the lab, then run `make export`), and the other files of the package are written by
hand.
"""
