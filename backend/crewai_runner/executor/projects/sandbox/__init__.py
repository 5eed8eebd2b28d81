"""Runs commands of uploaded projects as confined processes."""
