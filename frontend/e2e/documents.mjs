// Workflow YAML documents for the tests and the scripts.

/** Returns a workflow with two agents, two tasks and one input. */
export function twoTasks(model, name, { writerModel = model, lastTaskField = "" } = {}) {
  return `name: ${name}
inputs:
  topic:
    type: string
    default: bees
agents:
  researcher:
    role: Researcher
    goal: Find facts
    backstory: Curious.
    llm: ${model}
  writer:
    role: Writer
    goal: Write well
    backstory: Brief.
    llm: ${writerModel}
tasks:
  research:
    description: Find three facts about {topic}.
    expected_output: Three facts
    agent: researcher
  draft:
    description: Write a note on {topic}.
    expected_output: A note
    agent: writer
    context: [research]
${lastTaskField && `    ${lastTaskField}\n`}`;
}

const INPUTS = `inputs:
  topic:
    type: string
    description: What it is about.
  text:
    type: text
    default: A few sentences.
  count:
    type: integer
  ratio:
    type: number
    required: false
  tone:
    type: string
    enum: [calm, dry]
  level:
    type: integer
    enum: [1, 2]
    default: 2
  publish:
    type: boolean
    default: true
`;

/** Returns the same workflow with an input of every type. */
export function everyType(model, name, extraInputs = "") {
  return twoTasks(model, name).replace(/inputs:[\s\S]*?agents:/, `${INPUTS}${extraInputs}agents:`);
}
