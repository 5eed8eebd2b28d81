import { describe, expect, it } from "vitest";

import { SAMPLE_SCHEMA } from "../completion/sample-schema";

import { listFormFields } from "./form-fields";

describe("listFormFields", () => {
  it("lists the fields of an agent in the schema's order, without aliases", () => {
    expect(listFormFields(SAMPLE_SCHEMA, "agent")).toMatchObject([
      { name: "role", label: "Role", required: true, control: "line" },
      { name: "goal", label: "Goal", required: true, control: "prose" },
      { name: "llm", label: "Model", required: false, control: "select", reference: "model" },
      { name: "tools", control: "checkboxes", reference: "tool", values: ["calculator", "wait"] },
      { name: "max_iter", label: "Max iterations", control: "number" },
    ]);
  });

  it("lists the fields of a task, with hints without Markdown", () => {
    const fields = listFormFields(SAMPLE_SCHEMA, "task");

    expect(fields).toMatchObject([
      { name: "description", hint: "What to do with {name}.", required: true, control: "prose" },
      { name: "agent", control: "select", reference: "agent" },
      { name: "context", control: "checkboxes", reference: "task" },
      { name: "human_input", label: "Human input", control: "checkbox" },
    ]);
  });
});
