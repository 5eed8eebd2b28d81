"""The model gateway: how the code of a project reaches models, and the only place that meters its calls."""
