"""The built-in model: a real language model, very small, that needs no key and no network."""
