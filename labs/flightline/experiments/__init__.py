"""Designing an online experiment (contract)."""
