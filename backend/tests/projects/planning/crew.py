from crewai import LLM, Agent, Crew, Task

smart = LLM(model="gpt-4o", temperature=0)
cook = Agent(role="Cook", goal="Cook for {guests} guests", backstory="You waste nothing.", llm=smart)
shop = Task(description="Write a shopping list for {guests} guests", expected_output="A list", agent=cook)
menu = Task(description="Write the menu", expected_output="Three dishes", agent=cook, markdown=True)
crew = Crew(agents=[cook], tasks=[shop, menu], planning=True, planning_llm="gpt-4o-mini", verbose=True)

if __name__ == "__main__":
    crew.kickoff(inputs={"guests": 6})
