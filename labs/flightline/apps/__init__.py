"""The shell around the system: command lines, wiring, HTML and servers.

It is written by hand. It may import any module of the system; no module imports it.
"""
