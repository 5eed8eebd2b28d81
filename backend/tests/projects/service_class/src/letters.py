from crewai import Agent, Crew, Task


class LetterService:
    def __init__(self, language="English"):
        self.writer = Agent(role="Writer", goal=f"Write in {language}", backstory="You write letters.")

    def write(self, recipient: str, lines: int = 3) -> str:
        task = Task(
            description=f"Write {lines} lines to {recipient}", expected_output="A letter", agent=self.writer
        )
        return Crew(agents=[self.writer], tasks=[task]).kickoff().raw
