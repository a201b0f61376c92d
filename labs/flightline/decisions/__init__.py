"""Deciding honestly (contract)."""
