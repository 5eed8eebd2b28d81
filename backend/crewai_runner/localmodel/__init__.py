"""The built-in model: a small language model in a child process; needs no key and no network."""
