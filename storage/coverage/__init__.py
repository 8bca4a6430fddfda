"""What was recorded of what should have been, and where: coverage, and the search of footage by place and time."""
