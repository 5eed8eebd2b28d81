import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import type { EditorProblem } from "../model/problems";

import { ProblemsPanel } from "./problems-panel";
import { countProblems, ValidationBadge } from "./validation-badge";

const error: EditorProblem = {
  from: 3,
  to: 6,
  line: 41,
  message: "There is no agent `writr`.",
  severity: "error",
  suggestion: "writer",
};
const warning: EditorProblem = {
  ...error,
  line: 2,
  severity: "warning",
  suggestion: undefined,
  message: "Unused.",
};

function renderPanel(problems: EditorProblem[], isUnavailable = false) {
  const actions = { onRetry: vi.fn(), onGo: vi.fn(), onFix: vi.fn() };
  const { container } = render(<ProblemsPanel {...{ problems, isUnavailable, ...actions }} />);
  return { container, ...actions };
}

describe("ProblemsPanel", () => {
  it("goes to the line and applies the suggestion", async () => {
    const { onGo, onFix } = renderPanel([warning, error]);

    await userEvent.click(screen.getByRole("button", { name: /Error line 41 There is no agent/ }));
    await userEvent.click(screen.getByRole("button", { name: "Change to writer" }));

    expect(onGo).toHaveBeenCalledWith(error);
    expect(onFix).toHaveBeenCalledWith(error);
    expect(screen.getByRole("button", { name: /Warning line 2/ })).toBeVisible();
    expect(screen.getAllByRole("button", { name: /Change to/ })).toHaveLength(1);
  });

  it("renders nothing without problems", () => {
    expect(renderPanel([]).container).toBeEmptyDOMElement();
  });

  it("says that only the syntax was checked when the server is unavailable", async () => {
    const { onRetry } = renderPanel([], true);

    expect(screen.getByText(/Only the YAML syntax was checked/)).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Check again" }));

    expect(onRetry).toHaveBeenCalledOnce();
  });
});

it.each([
  [[error], "1 error"],
  [[error, error, warning], "2 errors, 1 warning"],
  [[warning], "1 warning"],
])("countProblems %#", (problems, text) => {
  expect(countProblems(problems)).toBe(text);
});

it.each([
  [[], "checking", "Checking…"],
  [[], "checked", "Valid"],
  [[], "unavailable", "Only the syntax was checked"],
  [[error], "unavailable", "1 error"],
  [[warning], "checking", "Valid, 1 warning · checking…"],
  [[warning], "checked", "Valid, 1 warning"],
] as const)("ValidationBadge %#", (problems, status, text) => {
  render(<ValidationBadge problems={[...problems]} status={status} />);
  expect(screen.getByRole("status")).toHaveTextContent(text);
});
