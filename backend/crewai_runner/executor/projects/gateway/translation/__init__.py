"""Translates requests and answers between the protocols of the code and of the provider."""
