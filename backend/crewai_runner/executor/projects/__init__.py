"""Runs uploaded CrewAI projects: builds their environments and executes their code in a sandbox."""
