from pathlib import Path

from crewai import Agent, Crew, Task

from kitchen.crew import KitchenCrew

MENU = Path("menu cards") / "café Zürich.txt"


def run():
    dishes = MENU.read_text(encoding="utf-8").splitlines()
    result = KitchenCrew().crew().kickoff(inputs={"dish": dishes[0], "price": "4 €"})
    with open("menu cards/tomorrow – draft.txt", "w", encoding="utf-8") as file:
        file.write(str(result))
    print("Menü fertig ✓")


if __name__ == "__main__":
    run()
