import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import type { EditorProblem } from "../model/problems";

import { problemWords, ProblemsPanel, Verdict } from "./problems-panel";

const wrong: EditorProblem = {
  from: 3,
  to: 6,
  line: 41,
  message: "There is no agent `writr`.",
  code: "unknown-agent",
  severity: "error",
  suggestion: "writer",
  source: "server",
};
const odd: EditorProblem = {
  ...wrong,
  line: 2,
  severity: "warning",
  suggestion: undefined,
  message: "Unused.",
};

describe("the problems panel", () => {
  it("leads to the line, and offers what was meant", async () => {
    const onGo = vi.fn();
    const onFix = vi.fn();
    render(<ProblemsPanel problems={[odd, wrong]} onGo={onGo} onFix={onFix} />);

    await userEvent.click(screen.getByRole("button", { name: /Error line 41 There is no agent/ }));
    await userEvent.click(screen.getByRole("button", { name: "Change to writer" }));

    expect(onGo).toHaveBeenCalledWith(wrong);
    expect(onFix).toHaveBeenCalledWith(wrong);
    expect(screen.getByRole("button", { name: /Warning line 2/ })).toBeVisible();
    expect(screen.getAllByRole("button", { name: /Change to/ })).toHaveLength(1);
  });

  it("is not there when nothing is wrong", () => {
    const { container } = render(<ProblemsPanel problems={[]} onGo={vi.fn()} onFix={vi.fn()} />);
    expect(container).toBeEmptyDOMElement();
  });

  it.each([
    [[], "Valid"],
    [[wrong], "1 problem"],
    [[wrong, wrong, odd], "2 problems, 1 warning"],
    [[odd], "1 warning"],
  ])("counts %#", (problems, words) => {
    expect(problemWords(problems)).toBe(words);
  });

  it("says that warnings hinder nothing, and that the server is still asked", () => {
    render(<Verdict problems={[odd]} judged={false} />);
    expect(screen.getByRole("status")).toHaveTextContent("Valid, 1 warning · checking…");
  });
});
