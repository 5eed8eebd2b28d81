/** What a blank workflow begins with: small, valid, and it explains itself. */
export const STARTER = `# A workflow is a crew of agents and the tasks they do, in the order in which they stand here.
name: New workflow

# What is asked for before each run; {topic} below is filled with it.
inputs:
  topic:
    type: string
    description: What it is about.
    default: honey bees

agents:
  writer:
    role: Writer
    goal: Explain things in plain words.
    backstory: You write short, clear texts for curious people.
    # llm: my-model        # without it, the default model is used

tasks:
  explain:
    description: Write three sentences about {topic}.
    expected_output: Three sentences.
    agent: writer
`;
