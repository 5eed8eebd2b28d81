from tides import build


def run():
    print(build().kickoff())


run()
