"""What maintainers run: export, execute, student edition, checks, lock."""
