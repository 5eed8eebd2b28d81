"""Maintenance commands: backup, restore, secret key rotation, doctor."""
