"""What every version of crewai reports for the samples."""

from crewai_runner.domain.project import EntryPoint, ProjectKind
from tests.executor.projects.bridge.guest_process import Guest, GuestRun
from tests.support.scripted_provider import Rule, Say, ScriptedProvider

_LANGCHAIN_CREW = """
from crewai import Agent, Crew, Task
from langchain_groq import ChatGroq

def run():
    agent = Agent(role="Poet", goal="Rhyme", backstory="Old.", llm=ChatGroq())
    task = Task(description="Rhyme", expected_output="One line", agent=agent)
    return Crew(agents=[agent], tasks=[task]).kickoff()
"""
_LANGCHAIN_MODEL = """
class ChatGroq:
    model_name, temperature = "mixtral-8x7b-32768", 0.5

    def bind(self, stop):
        return self
"""


def check_reviewed_run(run: GuestRun, reviews: int = 2) -> None:
    """Check a run of the sample whose note was reviewed: make it shorter, then accepted.

    crewai 0.70 asks for one review only.
    """
    assert run.exit_code == 0, run.output
    assert run.server.rejected == 0
    assert run.steps == [
        ("task.started", "research", "Researcher"),
        ("agent.started", "research", "Researcher"),
        ("tool.started", "research", "Researcher"),
        ("tool.completed", "research", "Researcher"),
        ("agent.completed", "research", "Researcher"),
        ("task.completed", "research", "Researcher"),
        ("task.started", "note", "Writer"),
        ("agent.started", "note", "Writer"),
        ("agent.completed", "note", "Writer"),
        ("task.completed", "note", "Writer"),
    ]
    assert run.data("tool.started").arguments == {"subject": "whales"}
    assert "FACT-42 about whales" in run.data("tool.completed").output
    results = run.translator.as_results()
    assert (results["research"].raw, results["note"].raw) == ("Facts about whales.", "The short note.")
    outputs = ["The first note.", "The short note."][:reviews]
    assert [(question.kind, question.task_key, question.output) for question in run.questions] == [
        ("review", "note", output) for output in outputs
    ]
    assert run.server.result is not None
    assert run.server.result.model_dump()["raw"] == "The short note."


async def check_saved_flow(guest: Guest) -> None:
    """Kill a flow after its first method, and check that another run begins with the state that it saved."""
    entry = EntryPoint(kind=ProjectKind.SCRIPT, path="saved_flow.py", name="run")
    killed = await guest.run(entry)
    assert killed.exit_code == 9, killed.output
    saved = killed.checkpoints["flow/TripFlow"]
    assert saved["state"] == {"id": saved["id"], "stops": ["Ghent"], "price": 0.0}
    (guest.folder / "storage").rename(guest.folder / "storage-of-the-first-attempt")

    run = await guest.run(entry, checkpoints=killed.checkpoints)

    assert run.exit_code == 0, run.output
    assert [event.data.code for event in run.events if event.type == "warning.raised"] == ["flow-restored"]
    assert run.server.result is not None
    result = {"stops": ["Ghent", "Ghent"], "id": saved["id"]}
    assert run.server.result.model_dump()["json_output"] == result


async def check_langchain_model(guest: Guest, provider: ScriptedProvider) -> None:
    """Check that an agent whose model is an object of langchain calls it by its name."""
    (guest.project / "main.py").write_text(_LANGCHAIN_CREW)
    (guest.project / "langchain_groq.py").write_text(_LANGCHAIN_MODEL)
    provider.script([Rule(Say("Thought: I now know the answer\nFinal Answer: A line"))])

    run = await guest.run(EntryPoint(kind=ProjectKind.SCRIPT, path="main.py", name="run"))

    assert run.exit_code == 0, run.output
    assert [request.model for request in provider.requests] == ["mixtral-8x7b-32768"]
    assert provider.requests[0].payload["temperature"] == 0.5
