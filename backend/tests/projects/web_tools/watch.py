from crewai import Agent, Crew, Task
from crewai_tools import FileReadTool, ScrapeWebsiteTool, SerperDevTool
from dotenv import load_dotenv

load_dotenv()

search = SerperDevTool(n_results=5)
scrape = ScrapeWebsiteTool(website_url="https://prices.example.com")
prices = FileReadTool(file_path="data/prices.csv")

watcher = Agent(
    role="Price watcher",
    goal="Compare prices",
    backstory="You keep old catalogues.",
    tools=[search, scrape, prices],
    allow_delegation=False,
)
compare = Task(description="Compare prices of {article}", expected_output="A table", agent=watcher)

if __name__ == "__main__":
    result = Crew(agents=[watcher], tasks=[compare]).kickoff(inputs={"article": "tea"})
    print("Result:", result)
