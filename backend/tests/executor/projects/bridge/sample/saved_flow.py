"""A flow that saves its state after each method, and ends in its second one the first time."""

import os

from crewai.flow.flow import Flow, FlowState, listen, start
from crewai.flow.persistence import persist
from pydantic import Field


class Trip(FlowState):
    stops: list[str] = Field(default_factory=list)
    price: float = 0.0


@persist()
class TripFlow(Flow[Trip]):
    @start()
    def plan(self) -> str:
        self.state.stops.append("Ghent")
        return "planned"

    @listen(plan)
    def book(self, _planned: str) -> dict[str, object]:
        if len(self.state.stops) == 1:
            os._exit(9)
        return {"stops": self.state.stops, "id": self.state.id}


def run() -> object:
    return TripFlow().kickoff()
