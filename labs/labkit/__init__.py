"""The lab bench: data, figures, timing and claims, so that notebooks show ideas.

A lab imports `labkit`; `flightline` never does.
"""
