import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { ImportedCrew, ImportFinding, ImportPreview } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";

import { ImportReview } from "./import-review";

function finding(change: Partial<ImportFinding> = {}): ImportFinding {
  return {
    line: 9,
    column: 0,
    path: "agents.writer.tools",
    code: "not-imported",
    message: "m",
    severity: "warning",
    suggestion: null,
    file: "town/crew.py",
    kind: "tool",
    reason: "`Lookup` is a custom tool in Python.",
    remedy: "run-as-project",
    remedyText: "Import the code as a project.",
    crew: "town/crew.py:20",
    ...change,
  };
}

function crew(source: string, change: Partial<ImportedCrew> = {}): ImportedCrew {
  const agent = { key: "writer", tools: ["calculator"], model: { name: "gpt-4o" } };
  const task = { key: "write", tools: [] };
  const definition = { name: source, agents: [agent], tasks: [task], inputs: [{ name: "topic" }] };
  return {
    source,
    name: `crew of ${source}`,
    yaml: "",
    definition: definition as never,
    problems: [],
    warnings: [],
    ...change,
  };
}

function show(preview: ImportPreview) {
  const onImport = vi.fn<(sources: string[]) => void>();
  const onBack = vi.fn<() => void>();
  const projectUpload = <button type="button">Run it as a project</button>;
  renderWithRouter(<ImportReview {...{ preview, onImport, onBack, projectUpload }} busy={false} />);
  return { onImport, onBack };
}

it("shows what is kept and what is left out, with its place", async () => {
  show({ crews: [crew("a", { warnings: [finding()] })], warnings: [] });

  const kept = await screen.findByLabelText("Kept of crew of a");
  for (const text of ["writer", "write", "topic", "calculator", "gpt-4o"])
    expect(within(kept).getByText(text)).toBeInTheDocument();
  const lost = screen.getByRole("list", { name: "Left out of crew of a" });
  expect(lost).toHaveTextContent("Tools");
  expect(lost).toHaveTextContent("town/crew.py:9");
  expect(lost).toHaveTextContent("Import the code as a project.");
  expect(screen.getByRole("button", { name: "Run it as a project" })).toBeInTheDocument();
});

it("saves the chosen crews only", async () => {
  const { onImport } = show({
    crews: [crew("a"), crew("b"), crew("c", { name: "", definition: null })],
    warnings: [finding({ kind: "flow", file: "main.py", line: 3 })],
  });
  const user = userEvent.setup();

  await user.click(await screen.findByRole("checkbox", { name: "Import crew of a" }));
  expect(screen.queryByRole("checkbox", { name: /Import c$/ })).not.toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Import 1 workflow" }));

  expect(onImport).toHaveBeenCalledWith(["b"]);
});

it("says that nothing is left out", async () => {
  show({ crews: [crew("a")], warnings: [] });

  expect(await screen.findByText("Everything is imported")).toBeInTheDocument();
  expect(screen.getByText("Nothing is left out or changed.")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Run it as a project" })).not.toBeInTheDocument();
});

it("cannot import a project without a valid crew", async () => {
  show({ crews: [crew("a", { definition: null })], warnings: [] });

  expect(await screen.findByRole("button", { name: "Import 0 workflows" })).toBeDisabled();
});
