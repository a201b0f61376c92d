"""What maintainers do with the built book: check the site, open it in a browser."""
