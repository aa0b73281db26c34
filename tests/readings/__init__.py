"""What is read from some thousand replies and values, written down: a change of reading shows as lines of a diff."""
