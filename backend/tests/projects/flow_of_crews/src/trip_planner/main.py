from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel

from trip_planner.crews.route.crew import RouteCrew


class TripState(BaseModel):
    country: str = "Portugal"
    route: str = ""


class TripFlow(Flow[TripState]):
    @start()
    def choose(self):
        self.state.country = self.state.country.strip()

    @listen(choose)
    def plan(self):
        self.state.route = RouteCrew().crew().kickoff(inputs={"topic": self.state.country}).raw


def kickoff():
    TripFlow().kickoff()


def plot():
    TripFlow().plot()
