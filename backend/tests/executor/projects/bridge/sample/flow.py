"""A flow that asks for feedback on the output of its first step."""

from crewai.flow.flow import Flow, listen, start
from crewai.flow.human_feedback import human_feedback


class SampleFlow(Flow):
    @start()
    @human_feedback(message="Is this good?")
    def draft(self) -> str:
        return f"A draft about {self.state['topic']}."

    @listen(draft)
    def publish(self, result: object) -> dict[str, str]:
        return {"topic": self.state["topic"], "feedback": getattr(result, "feedback", "")}
