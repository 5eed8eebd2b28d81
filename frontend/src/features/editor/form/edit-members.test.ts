// @vitest-environment node
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { addMember, deleteMember, renameMember } from "./edit-members";
import { diffLines, LIST, MAPPING, readYaml } from "./sample-documents";

describe("editing members", () => {
  it("renames an agent and every reference to it", () => {
    const { text, id } = renameMember(MAPPING, "agent:writer", "author");

    expect(id).toBe("agent:author");
    expect(diffLines(MAPPING, text).added.join("\n")).toContain("  author: # who writes");
    expect(readYaml(text).tasks?.draft?.agent).toBe("author");
    expect(text).toContain("agent: 'author'");
    expect(text).not.toContain("writer");
  });

  it("renames a task in every context, and an agent in list form", () => {
    expect(
      readYaml(renameMember(MAPPING, "task:research", "find").text).tasks?.draft?.context,
    ).toEqual(["find"]);
    expect(renameMember(LIST, "agent:finder", "seeker").text).toBe(
      LIST.replace("name: finder", "name: seeker").replace("agent: finder", "agent: seeker"),
    );
  });

  it("deletes a task and removes it from contexts", () => {
    const after = deleteMember(MAPPING, "task:research");

    expect(Object.keys(readYaml(after).tasks ?? {})).toEqual(["draft"]);
    expect(after).not.toContain("context");
    expect(after).toContain("  draft:\n    description: Write");
  });

  it("deletes the first and the last member", () => {
    expect(deleteMember(MAPPING, "task:draft")).toContain("# the end");
    expect(deleteMember(MAPPING, "task:draft")).not.toContain("draft");
    expect(deleteMember(MAPPING, "agent:researcher")).toContain(
      "agents:\n  # who finds\n  writer: # who writes",
    );
    expect(readYaml(deleteMember(LIST, "task:find")).tasks).toBeNull();
  });

  it("adds a member after the last one, with the same blank lines", () => {
    const { text, id } = addMember(MAPPING, "task");

    expect(id).toBe("task:new_task");
    expect(diffLines(MAPPING, text)).toEqual({
      removed: [],
      added: [
        "",
        "  new_task:",
        "    description: What to do",
        "    expected_output: What the result should look like",
        "    agent: researcher",
      ],
    });
    expect(addMember(text, "task").id).toBe("task:new_task_2");
  });

  it("adds a member in list form, in the spelling of the document", () => {
    expect(addMember(LIST, "task").text).toBe(
      `${LIST}- name: new_task\n  description: What to do\n  expectedOutput: What the result should look like\n  agent: finder\n`,
    );
    expect(readYaml(addMember(LIST, "agent").text).agents).toHaveLength(2);
  });

  it.each([
    "",
    "name: x\n",
    "name: x",
    "agents:\n",
    "agents: {}\n",
    "agents:\ntasks:\n  t:\n    agent: a\n",
  ])("adds the section to %j", (text) => {
    const added = readYaml(addMember(text, "agent").text);
    expect(Object.keys(added.agents ?? {})).toEqual(["new_agent"]);
    expect(Object.keys(added).toSorted()).toEqual(
      [...new Set([...Object.keys((parse(text) as object | null) ?? {}), "agents"])].toSorted(),
    );
  });
});
