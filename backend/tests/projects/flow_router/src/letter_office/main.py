#!/usr/bin/env python
from crewai.flow.flow import Flow, and_, listen, or_, router, start
from crewai.flow.persistence import persist
from pydantic import BaseModel

from letter_office.clerks import answer_crew


class OfficeState(BaseModel):
    letter: str = "Where is my parcel?"
    drafts: list[str] = []
    is_urgent: bool = True


@persist()
class LetterOffice(Flow[OfficeState]):
    @start()
    def open_letter(self):
        self.state.letter = self.state.letter.strip()

    @router(open_letter)
    def sort(self):
        return "urgent" if self.state.is_urgent else "normal"

    @listen("urgent")
    def answer_today(self):
        self.state.drafts.append(answer_crew().kickoff(inputs={"letter": self.state.letter}).raw)

    @listen("normal")
    def answer_later(self):
        self.state.drafts.append("We will answer in two weeks.")

    @listen(or_(answer_today, answer_later))
    def sign(self):
        return self.state.drafts[-1]

    @listen(and_(open_letter, sign))
    def send(self):
        return {"answer": self.state.drafts[-1], "letters": len(self.state.drafts)}


def kickoff():
    return LetterOffice().kickoff()


def plot():
    LetterOffice().plot()


if __name__ == "__main__":
    kickoff()
