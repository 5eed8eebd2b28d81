from typing import TYPE_CHECKING

import prices
import requests
from bs4 import BeautifulSoup
from crewai import Agent, Crew, Task
from crewai_tools import FileReadTool

if TYPE_CHECKING:
    import pandas
try:
    import matplotlib
except ImportError:
    matplotlib = None


def run():
    text = BeautifulSoup("<p>Tea is 3 euros.</p>", "html.parser").get_text()
    clerk = Agent(role="Clerk", goal="Note prices", backstory="You are exact.", tools=[FileReadTool()])
    task = Task(description=f"Note: {text}{prices.NOTE}", expected_output="A price", agent=clerk)
    return Crew(agents=[clerk], tasks=[task]).kickoff()
