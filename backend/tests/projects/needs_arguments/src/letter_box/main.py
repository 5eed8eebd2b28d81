from .crew import LetterBox


def run(topic):
    return LetterBox().crew().kickoff(inputs={"topic": topic})


async def main():
    return await LetterBox().crew().kickoff_async(inputs={"topic": "post"})
