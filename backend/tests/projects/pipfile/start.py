from crewai import Agent, Crew, Task


class Translation:
    def __init__(self, language):
        self.language = language

    def run(self, text):
        translator = Agent(role="Translator", goal=f"Speak {self.language}", backstory="You live abroad.")
        task = Task(description=f"Translate: {text}", expected_output=self.language, agent=translator)
        return Crew(agents=[translator], tasks=[task]).kickoff()


if __name__ == "__main__":
    print(Translation("Finnish").run("Good morning"))
