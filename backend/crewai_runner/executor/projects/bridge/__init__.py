"""The host's side of the bridge to the project's code in the sandbox, which is not trusted."""
