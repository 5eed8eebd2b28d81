from crews.letter.crew import LetterCrew
from crews.research.crew import ResearchCrew


def main():
    facts = ResearchCrew().crew().kickoff(inputs={"topic": "prices"})
    LetterCrew().crew().kickoff(inputs={"customer": "Ada", "facts": facts.raw})


if __name__ == "__main__":
    main()
