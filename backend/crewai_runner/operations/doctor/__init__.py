"""The examination of an installation: what is well, what is not, how to mend it."""
