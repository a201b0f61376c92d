"""Flightline: the system that tells whether a flight will arrive late.

Each module is exported from the lab that builds it. Change the lab, then run
`make export`; a change made here is lost.
"""
