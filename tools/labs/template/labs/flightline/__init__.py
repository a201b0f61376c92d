"""Stand-in for the package, so that the template runs where it stands."""
