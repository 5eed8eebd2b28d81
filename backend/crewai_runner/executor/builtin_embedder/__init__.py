"""The embedder that runs in this process and needs no key: all-MiniLM-L6-v2, for English text."""
