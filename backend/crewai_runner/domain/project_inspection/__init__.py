"""Reads the files of a CrewAI project and describes it. No code of the project is executed."""
