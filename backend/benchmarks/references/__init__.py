"""The same work without the product; each reference runs in a process of its own."""
