from letters import LetterCrew


def run():
    LetterCrew().crew().kickoff(inputs={"guest": "Mrs Ito"})


run()
