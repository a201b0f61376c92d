"""The lab bench: data, figures, timing and claims, so that notebooks show ideas.

On top stands what three or more labs share; `labkit/<stem>/` holds what one lab needs.
A lab imports `labkit`; `flightline` never does.
"""
