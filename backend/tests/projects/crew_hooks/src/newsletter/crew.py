import json
from pathlib import Path

from crewai import Agent, Crew, Process, Task
from crewai.project import CrewBase, after_kickoff, agent, before_kickoff, crew, task


@CrewBase
class Newsletter:
    agents_config = "config/agents.yaml"
    tasks_config = "config/tasks.yaml"

    @before_kickoff
    def prepare(self, inputs):
        self.notes = ["prepared"]
        return {**inputs, "reader": "gardeners"}

    @after_kickoff
    def store(self, output):
        Path("notes.json").write_text(json.dumps(self.notes))
        output.raw = f"{output.raw} (checked)"
        return output

    def note_step(self, step):
        self.notes.append("step")

    def note_task(self, output):
        self.notes.append(f"task {output.agent.strip()}")

    @agent
    def writer(self) -> Agent:
        return Agent(config=self.agents_config["writer"], step_callback=self.note_step)

    @task
    def write(self) -> Task:
        return Task(config=self.tasks_config["write"], callback=self.note_task)

    @crew
    def crew(self) -> Crew:
        return Crew(
            agents=self.agents,
            tasks=self.tasks,
            process=Process.sequential,
            task_callback=self.note_task,
        )
