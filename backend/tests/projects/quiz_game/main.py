from crewai import Agent, Crew, Task

master = Agent(role="Quiz master", goal="Ask fair questions", backstory="You were a teacher.")


def main():
    points = 0
    while True:
        topic = input("Topic (empty to end): ").strip()
        if not topic:
            break
        question = Task(description=f"Ask a question about {topic}", expected_output="A question", agent=master)
        print(Crew(agents=[master], tasks=[question]).kickoff())
        points += input("Your answer: ") == "7"
    print(f"{points} points")


if __name__ == "__main__":
    main()
