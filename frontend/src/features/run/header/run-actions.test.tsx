import { describe, expect, it } from "vitest";

import type { Run } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";

import { RunStore } from "../store/run-store";
import { sampleRun } from "../testing/run-fixtures";

import { RunActions } from "./run-actions";
import { RunHeader } from "./run-header";

function renderActions(change: Partial<Run>) {
  const run = sampleRun(change);
  const store = new RunStore(run.id, { status: run.status });
  return renderWithRouter(<RunActions run={run} store={store} />);
}

describe("RunActions", () => {
  it("stops a run of this server", async () => {
    const { findByRole } = renderActions({ external: false });
    expect(await findByRole("button", { name: "Stop" })).toBeVisible();
  });

  it.each(["running", "completed", "failed"] as const)(
    "offers only to share and to download a %s run elsewhere",
    async (status) => {
      const { findByRole, queryAllByRole } = renderActions({ external: true, status });
      expect(await findByRole("button", { name: "Download" })).toBeVisible();
      const names = queryAllByRole("button").map((button) => button.textContent);
      expect(names).toEqual(["Share", "Download"]);
    },
  );
});

describe("RunHeader", () => {
  it.each([true, false])("names where the run is executed (external: %s)", async (external) => {
    const run = sampleRun({ external });
    const store = new RunStore(run.id, { status: run.status });
    const { findByText, queryByText } = renderWithRouter(<RunHeader run={run} store={store} />);
    expect(await findByText("Market research")).toBeVisible();
    expect(queryByText("Runs elsewhere") !== null).toBe(external);
  });
});
