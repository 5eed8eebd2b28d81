from crewai import Agent
from crewai.flow import Flow, human_feedback, listen, start


class SloganFlow(Flow):
    @start()
    @human_feedback(message="Is this slogan good?")
    def draft(self):
        writer = Agent(role="Copywriter", goal="Write slogans", backstory="You use few words.")
        return writer.kickoff("Write a slogan for a bakery").raw

    @listen(draft)
    def publish(self, review):
        return f"{review.output} / {review.feedback}"


def kickoff():
    return SloganFlow().kickoff()


if __name__ == "__main__":
    kickoff()
