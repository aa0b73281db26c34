"""Small changes of the pure half of the core, each of which some test has to notice: `make mutants`."""
