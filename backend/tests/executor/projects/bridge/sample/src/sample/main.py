"""The entry points of the sample."""

from sample.crew import SampleCrew


def run() -> None:
    SampleCrew().crew().kickoff(inputs={"topic": "the project's own topic"})


def ask() -> str:
    return "Hello " + input("Your name: ")


def fail() -> None:
    raise ValueError("The sample fails.")


def greet(name: str) -> dict[str, str]:
    return {"greeting": f"Hello {name}"}


if __name__ == "__main__":
    run()
