"""What maintainers do with labs: export, execute, check, grade, hand out."""
