import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { useState } from "react";
import { beforeEach, describe, expect, it } from "vitest";

import { server } from "@/testing/server";

import { SAMPLE_SCHEMA } from "../completion/sample-schema";

import type { EditorProblem } from "../model/problems";

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
const REGISTERED = { models: ["gpt", "local"], embedders: [] };

interface HostProps {
  start: string | null;
  text?: string;
  problems?: EditorProblem[];
}

function FormHost({ start, text: first = TEXT, problems = [] }: HostProps) {
  const [client] = useState(() => new QueryClient());
  const [text, setText] = useState(first);
  const [node, setNode] = useState(start);
  return (
    <QueryClientProvider client={client}>
      <FormPane
        text={text}
        node={node}
        schema={SAMPLE_SCHEMA}
        registered={REGISTERED}
        problems={problems}
        onText={setText}
        onNode={setNode}
      />
      <pre data-testid="text">{text}</pre>
      <button type="button" onClick={() => setText(text.replace("role: Writer", "role: Author"))}>
        Edit outside the form
      </button>
    </QueryClientProvider>
  );
}

const text = () => screen.getByTestId("text").textContent;
const hosts = () => screen.getByLabelText("Allowed hosts allowed_hosts");

beforeEach(() => {
  server.use(http.get("*/api/v1/tools", () => HttpResponse.json({ tools: [] })));
});

describe("FormPane", () => {
  it("writes each change into the document and keeps the rest", async () => {
    render(<FormHost start="agent:writer" />);

    await userEvent.type(screen.getByLabelText(/^Role/), " of notes");
    await userEvent.selectOptions(screen.getByLabelText("Model llm"), "gpt");
    await userEvent.click(screen.getByLabelText("calculator"));
    await userEvent.type(screen.getByLabelText("Max iterations max_iter"), "12");

    expect(text()).toBe(
      TEXT.replace("role: Writer", "role: Writer of notes").replace(
        "    system_template: x\n",
        "    system_template: x\n    llm: gpt\n    tools: [calculator]\n    max_iter: 12\n",
      ),
    );
    expect(screen.getByText("backstory, system_template")).toBeVisible();
  });

  it("removes a field that is emptied", async () => {
    render(<FormHost start="task:draft" />);

    await userEvent.click(screen.getByLabelText("Human input human_input"));
    await userEvent.click(screen.getByLabelText("find"));
    expect(text()).toContain("    human_input: true\n    context: [find]\n");
    await userEvent.click(screen.getByLabelText("Human input human_input"));
    await userEvent.click(screen.getByLabelText("find"));

    expect(text()).toBe(TEXT);
  });

  it("offers only earlier tasks as context", () => {
    render(<FormHost start="task:find" />);
    expect(screen.queryByLabelText("draft")).toBeNull();
  });

  it("resets when the text is changed outside the form", async () => {
    render(<FormHost start="agent:writer" />);
    await userEvent.type(screen.getByLabelText(/^Goal/), "!");

    await userEvent.click(screen.getByRole("button", { name: "Edit outside the form" }));

    expect(screen.getByLabelText(/^Role/)).toHaveValue("Author");
    expect(screen.getByLabelText(/^Goal/)).toHaveValue("Write!");
  });

  it("renames a task and rejects a name that is already used", async () => {
    render(<FormHost start="task:draft" />);
    const name = screen.getByLabelText("Task name");

    await userEvent.clear(name);
    await userEvent.type(name, "find");
    expect(screen.getByText("This name is already used.")).toBeVisible();
    await userEvent.type(name, "ings{Enter}");

    expect(text()).toContain("  findings:\n    description: |");
    expect(screen.getByRole("region", { name: "Task findings" })).toBeVisible();
  });

  it("adds and deletes an agent", async () => {
    render(<FormHost start={null} />);
    expect(screen.getByText("Select an agent or a task")).toBeVisible();

    await userEvent.click(screen.getByRole("button", { name: "Add agent" }));
    expect(screen.getByLabelText("Agent name")).toHaveValue("new_agent");
    await userEvent.click(screen.getByRole("button", { name: "Delete agent new_agent" }));

    expect(text()).toBe(TEXT);
  });

  it("edits the hosts that tools may contact, one per line", async () => {
    render(<FormHost start={null} />);
    await userEvent.type(hosts(), "api.example.com{Enter}*.example.org:8443");
    expect(text()).toBe(`${TEXT}allowed_hosts: [api.example.com, "*.example.org:8443"]\n`);
    expect(hosts()).toHaveAccessibleDescription(/The only hosts tools may contact/);
    await userEvent.clear(hosts());

    expect(text()).toBe(TEXT);
  });

  it("shows the server's problem with a host", () => {
    const document = `allowed_hosts: ["http://x"]\n${TEXT}`;
    const problem = { line: 1, message: "Write a host name.", severity: "error" as const };

    render(<FormHost start={null} text={document} problems={[{ ...problem, from: 16, to: 26 }]} />);

    expect(hosts()).toHaveAccessibleDescription(/Write a host name\./);
  });

  it("is not available for invalid YAML, and does not edit values it cannot show", () => {
    const { unmount } = render(<FormHost start="agent:a" text="agents: [" />);
    expect(screen.getByText("The form is not available")).toBeVisible();
    unmount();
    render(<FormHost start="agent:a" text={"agents:\n  a:\n    role: {x: y}\n"} />);
    expect(screen.getByText(/this value can only be edited in the YAML/)).toBeVisible();
  });
});
