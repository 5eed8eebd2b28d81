"""What the product costs, as ratios against bare CrewAI and bare FastAPI in the same run."""
