from crewai import Agent, Crew, Task
from pydantic import BaseModel


class Price(BaseModel):
    number: str
    total: float


def price_crew():
    dealer = Agent(role="Dealer", goal="Know prices", backstory="You sell in {currency}.")
    price = Task(
        description="Find the price of a {article}",
        expected_output="JSON with number and total",
        agent=dealer,
        output_json=Price,
        output_file="prices/price.json",
    )
    return Crew(agents=[dealer], tasks=[price])
