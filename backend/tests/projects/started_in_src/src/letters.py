from pathlib import Path

import yaml
from crewai import Agent, Crew, Task


class LetterCrew:
    texts = "config/texts.yaml"

    def __init__(self):
        with open(self.texts) as file:
            self.texts = yaml.safe_load(file)

    def crew(self):
        clerk = Agent(**self.texts["clerk"])
        task = Task(**self.texts["letter"], agent=clerk, output_file="letters/answer.txt")
        print("started in", Path.cwd().name)
        return Crew(agents=[clerk], tasks=[task])
