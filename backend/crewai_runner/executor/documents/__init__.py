"""Reads files of people with parsers that run in child processes: a file of a few kB can occupy a parser."""
