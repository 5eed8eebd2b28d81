"""The parts of the scripted provider; import from ``tests.support.scripted_provider``."""
