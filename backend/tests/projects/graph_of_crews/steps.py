from crewai import Agent, Crew, Task


class Beekeepers:
    def report(self, subject):
        keeper = Agent(role="Keeper", goal="Report", backstory="You keep bees.")
        task = Task(description=f"Report on {subject}", expected_output="A report", agent=keeper)
        return Crew(agents=[keeper], tasks=[task]).kickoff()


class Graph:
    def invoke(self, state):
        return {"report": Beekeepers().report(state["subject"])}


def build_graph():
    return Graph()
