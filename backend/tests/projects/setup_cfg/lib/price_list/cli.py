from rich import print

from price_list.crew import price_crew


def main():
    result = price_crew().kickoff(inputs={"article": "lamp", "currency": "EUR"})
    print(result.json_dict)
