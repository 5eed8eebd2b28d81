"""`python -m crewai_runner_bridge` runs the entry point that the host names."""

from .entry import main

main()
