from os import getenv

from crewai import LLM, Agent, Crew, Task

from settings import REGION

llm = LLM(model=getenv("SHOP_MODEL", "openai/gpt-4o"), api_key=getenv("OPENAI_API_KEY"))


def run():
    seller = Agent(role="Seller", goal="Sell", backstory=f"You sell in {REGION}.", llm=llm)
    task = Task(description="Offer {product}", expected_output="An offer", agent=seller)
    Crew(agents=[seller], tasks=[task]).kickoff(inputs={"product": "tea"})
