/** Documents for tests of the form, and helpers to compare them. */
import { parse } from "yaml";

export const MAPPING = `# A crew of two
name: Crew   # its name

agents:
  # who finds
  researcher:
    role: "Researcher"  # quoted
    goal: >- # what for
      Find facts, and
      say how sure they are
    backstory: |
      Curious.

      Careful.

  writer: # who writes
    role: Writer
    goal: Write
    backstory: Brief.
    llm:
      model: gpt  # the model
      temperature: 0.5
    tools:
      - calculator # sums
      - http_get

tasks:
  research:
    description: Find
    expected_output: Facts
    agent: researcher
    # no context here

  draft:
    description: Write
    expected_output: A note
    agent: 'writer'
    context: [research]   # builds on it
    human_input: true
# the end
`;

export const LIST = `name: Crew
agents:
  - name: finder # finds
    role: Finder
    goal: Find
    backstory: b
    allowDelegation: true
tasks:
- name: find
  description: Find
  expectedOutput: Facts
  agent: finder
`;

export type PlainDocument = Record<string, Record<string, Record<string, unknown>>>;
export const readYaml = (text: string) => parse(text) as PlainDocument;

/** The lines that were removed, and the lines added in their place. */
export function diffLines(before: string, after: string): { removed: string[]; added: string[] } {
  const old = before.split("\n");
  const now = after.split("\n");
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (
    tail < Math.min(old.length, now.length) - head &&
    old.at(-1 - tail) === now.at(-1 - tail)
  ) {
    tail += 1;
  }
  return { removed: old.slice(head, old.length - tail), added: now.slice(head, now.length - tail) };
}
