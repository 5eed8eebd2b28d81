import os
from pathlib import Path

from dotenv import find_dotenv, load_dotenv

load_dotenv(find_dotenv(), override=True)
if not os.getenv("CITY_NAME"):
    raise SystemExit("Set CITY_NAME in .env")

from crewai import Agent, Crew, Task

city = os.environ["CITY_NAME"]
model = os.environ.get("CITY_MODEL", "gpt-4o-mini")
historian = Agent(role="Historian", goal=f"Know {city}", backstory="You live there.", llm=model)
story = Task(description=f"Tell how {city} began", expected_output="A story", agent=historian)
result = Crew(agents=[historian], tasks=[story]).kickoff()
Path("stories").mkdir(exist_ok=True)
(Path("stories") / "city.md").write_text(f"# {city}\n\n{result}\n")
