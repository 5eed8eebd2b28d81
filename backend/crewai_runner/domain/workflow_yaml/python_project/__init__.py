"""Reading of CrewAI projects written in Python, from their syntax trees. No code is executed."""
