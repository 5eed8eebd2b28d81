import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";

import { FormPane } from "./form-pane";

const TEXT = `agents:
  writer: # who writes
    role: Writer
    goal: Write
    backstory: Brief. # short
    system_template: x
tasks:
  find:
    description: Find
    expected_output: Facts
    agent: writer
  draft:
    description: |
      Write.
    expected_output: A note
    agent: writer
`;
const KNOWN = { models: ["gpt", "local"], embedders: [], tools: ["calculator"] };

function Host({ start, text: first = TEXT }: { start: string | null; text?: string }) {
  const [text, setText] = useState(first);
  const [node, setNode] = useState(start);
  return (
    <>
      <FormPane text={text} node={node} known={KNOWN} onText={setText} onNode={setNode} />
      <pre data-testid="text">{text}</pre>
      <button type="button" onClick={() => setText(text.replace("role: Writer", "role: Author"))}>
        Elsewhere
      </button>
    </>
  );
}

const text = () => screen.getByTestId("text").textContent;

describe("the form", () => {
  it("writes what is entered at once, and leaves the rest", async () => {
    render(<Host start="agent:writer" />);

    await userEvent.type(screen.getByLabelText(/^Role/), " of notes");
    await userEvent.selectOptions(screen.getByLabelText("Model"), "gpt");
    await userEvent.click(screen.getByLabelText("calculator"));
    await userEvent.type(screen.getByLabelText("Most steps for one task"), "12");

    expect(text()).toBe(
      TEXT.replace("role: Writer", "role: Writer of notes").replace(
        "    system_template: x\n",
        "    system_template: x\n    llm: gpt\n    tools: [calculator]\n    max_iter: 12\n",
      ),
    );
    expect(screen.getByText("system_template")).toBeVisible();
  });

  it("takes a field away when it is emptied", async () => {
    render(<Host start="task:draft" />);

    await userEvent.click(screen.getByLabelText("Ask a person"));
    await userEvent.click(screen.getByLabelText("find"));
    expect(text()).toContain("    human_input: true\n    context: [find]\n");
    await userEvent.click(screen.getByLabelText("Ask a person"));
    await userEvent.click(screen.getByLabelText("find"));

    expect(text()).toBe(TEXT);
  });

  it("offers only earlier tasks to build on", () => {
    render(<Host start="task:find" />);
    expect(screen.queryByLabelText("draft")).toBeNull();
  });

  it("begins anew when the text was changed by other hands", async () => {
    render(<Host start="agent:writer" />);
    await userEvent.type(screen.getByLabelText(/^Goal/), "!");

    await userEvent.click(screen.getByRole("button", { name: "Elsewhere" }));

    expect(screen.getByLabelText(/^Role/)).toHaveValue("Author");
    expect(screen.getByLabelText(/^Goal/)).toHaveValue("Write!");
  });

  it("renames everywhere, and refuses a name that is taken", async () => {
    render(<Host start="task:draft" />);
    const name = screen.getByLabelText("Task name");

    await userEvent.clear(name);
    await userEvent.type(name, "find");
    expect(screen.getByText("Another one has this name already.")).toBeVisible();
    await userEvent.type(name, "ings{Enter}");

    expect(text()).toContain("  findings:\n    description: |");
    expect(screen.getByRole("region", { name: "Task findings" })).toBeVisible();
  });

  it("adds and takes away", async () => {
    render(<Host start={null} />);
    expect(screen.getByText("Pick an agent or a task")).toBeVisible();

    await userEvent.click(screen.getByRole("button", { name: "Add agent" }));
    expect(screen.getByLabelText("Agent name")).toHaveValue("new_agent");
    await userEvent.click(screen.getByRole("button", { name: "Delete agent new_agent" }));

    expect(text()).toBe(TEXT);
  });

  it("rests while the YAML is broken, and leaves alone what it cannot show", () => {
    const { unmount } = render(<Host start="agent:a" text="agents: [" />);
    expect(screen.getByText("The form rests")).toBeVisible();
    unmount();
    render(<Host start="agent:a" text={"agents:\n  a:\n    role: {x: y}\n"} />);
    expect(screen.getByText(/Role: written in a way/)).toBeVisible();
  });
});
