from garden.plants import make_crew


def kickoff():
    return make_crew().kickoff(inputs={"plant": "rose"})
