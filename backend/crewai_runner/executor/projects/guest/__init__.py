"""Files that run inside the sandbox, by the project's Python; they import nothing of ours."""
