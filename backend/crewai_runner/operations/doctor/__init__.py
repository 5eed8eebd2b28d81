"""Checks of an installation, with a hint for each problem."""
