from pathlib import Path

from crewai import Agent, Crew, Task

from tools import StockTool, add_tax

clerk = Agent(
    role="Clerk",
    goal="Answer questions about the shop",
    backstory="You know every shelf.",
    tools=[StockTool(), add_tax],
)


def main():
    count = Task(
        description="How many {article} are in stock?",
        expected_output="A number",
        agent=clerk,
        output_file="out/stock.txt",
    )
    crew = Crew(agents=[clerk], tasks=[count])
    crew.kickoff(inputs={"article": "lamps"})
    print(Path("out/stock.txt").read_text())


if __name__ == "__main__":
    main()
