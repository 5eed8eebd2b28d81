import os

from crewai import Agent, Crew, Process, Task
from langchain_openai import ChatOpenAI

llm = ChatOpenAI(model="gpt-4o", temperature=0.2, api_key=os.environ["OPENAI_API_KEY"])

lawyer = Agent(role="Lawyer", goal="Explain contracts", backstory="You avoid Latin.", llm=llm, max_iter=3)
explain = Task(description="Explain the word {word}", expected_output="Two sentences", agent=lawyer)


def main():
    crew = Crew(agents=[lawyer], tasks=[explain], process=Process.sequential, verbose=True)
    print(crew.kickoff(inputs={"word": "lease"}))


if __name__ == "__main__":
    main()
