from dotenv import load_dotenv

from poem import crew

load_dotenv()

if __name__ == "__main__":
    season = input("Which season? ")
    print(crew.kickoff(inputs={"season": season}))
