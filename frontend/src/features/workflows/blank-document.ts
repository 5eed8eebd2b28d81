/** The document of a new blank workflow. */
export const BLANK_DOCUMENT = `# A workflow is a crew of agents and their tasks. Tasks run in the order in which they are listed.
name: New workflow

# Inputs are entered before each run. {topic} below is replaced by the input of that name.
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
    # llm: my-model        # optional: the default model is used without it

tasks:
  explain:
    description: Write three sentences about {topic}.
    expected_output: Three sentences.
    agent: writer
`;
