from fastapi import FastAPI

from agents.crew import build

app = FastAPI()


@app.post("/run")
def run(question: str):
    return build().kickoff(inputs={"question": question}).raw
