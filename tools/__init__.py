"""What maintainers run: `labs` for the notebooks, `book` for the site, and the lock."""
