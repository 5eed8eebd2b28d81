"""The built-in model: a small language model in a child process, usable without a key or network."""
