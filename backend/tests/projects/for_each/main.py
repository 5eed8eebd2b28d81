from crewai import Agent, Crew, Task

PLACES = [{"place": "Rome"}, {"place": "Oslo"}, {"place": "Lima"}]


def main():
    guide = Agent(role="Guide", goal="Recommend sights", backstory="You walk a lot.")
    sight = Task(description="Name a sight in {place}", expected_output="A name", agent=guide)
    results = Crew(agents=[guide], tasks=[sight]).kickoff_for_each(inputs=PLACES)
    for place, result in zip(PLACES, results):
        print(place["place"], result.raw)


if __name__ == "__main__":
    main()
