"""The bearer token of every server that is measured."""

TOKEN = "bench-token-of-one-machine"
