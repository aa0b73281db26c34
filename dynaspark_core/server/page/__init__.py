"""The page that a browser gets: a form, its answer, and what our reader makes of it."""
