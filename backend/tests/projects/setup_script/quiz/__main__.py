import argparse

from quiz.crew import crew

parser = argparse.ArgumentParser()
parser.add_argument("--subject", default="rivers")

if __name__ == "__main__":
    print(crew.kickoff(inputs={"season": parser.parse_args().subject}))
