"""The bearer token of all measured servers."""

TOKEN = "bench-token-of-one-machine"
