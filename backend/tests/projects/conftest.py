"""The folders here are projects to read, not tests."""

collect_ignore_glob = ["*/*"]
