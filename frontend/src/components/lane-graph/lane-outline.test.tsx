import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import type { WorkflowDefinition } from "@/lib/api/types";

import { LaneOutline } from "./lane-outline";

const definition = {
  name: "crew",
  process: "sequential",
  agents: [
    { key: "writer", role: "Writer" },
    { key: "idle", role: "Spare" },
  ],
  tasks: [
    { key: "find", description: "d", agent: "writer", context: [] },
    { key: "draft", description: "d", agent: "writer", context: ["find"], humanInput: true },
    { key: "loose", description: "d", context: [] },
  ],
} as unknown as WorkflowDefinition;

describe("LaneOutline", () => {
  it("lists each agent with its tasks, their context and markers", () => {
    render(<LaneOutline definition={definition} />);
    const outline = screen.getByRole("list", { name: "Workflow outline" });

    const lanes = within(outline)
      .getAllByRole("listitem")
      .filter((item) => item.parentElement === outline)
      .map((item) => item.textContent);
    expect(lanes).toEqual([
      "writer Writer1find2draftcontext: findhuman input",
      "Unassigned No agent assigned3loose",
      "idle Spareunused",
    ]);
  });

  it("selects agents and tasks and marks the selected one", async () => {
    const onSelect = vi.fn();
    render(<LaneOutline definition={definition} selected="task:find" onSelect={onSelect} />);

    await userEvent.click(screen.getByRole("button", { name: /draft/ }));
    await userEvent.click(screen.getByRole("button", { name: /idle/ }));

    expect(onSelect.mock.calls).toEqual([["task:draft"], ["agent:idle"]]);
    expect(screen.getByRole("button", { name: /find$/, pressed: true })).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: /Unassigned/ })).toBeNull();
  });

  it("shows the state of each task as text", () => {
    render(<LaneOutline definition={definition} states={{ find: "completed", draft: "failed" }} />);

    expect(screen.getByText("Completed")).toBeVisible();
    expect(screen.getByText("Failed")).toBeVisible();
    expect(screen.queryByText("Pending")).toBeNull();
  });
});
