import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { RunStore } from "../store/run-store";
import { sampleRun } from "../testing/run-fixtures";

import { TimelineTab } from "./timeline-tab";

function renderTimeline(eventsDeletedAt: string | null): void {
  const run = sampleRun({ status: "completed", eventsDeletedAt });
  const search = { params: {}, update: () => undefined };
  const store = new RunStore(run.id, { status: "completed", lastSeq: run.lastSeq });
  render(
    <TimelineTab run={run} store={store} search={search} isWide={false} showDetails={false} />,
  );
}

describe("TimelineTab", () => {
  it("says when the events of the run were deleted", () => {
    renderTimeline("2026-11-22T12:00:00Z");

    expect(screen.getByText(/steps recorded before .*2026.* were deleted/)).toBeVisible();
  });

  it("says nothing for a run with all its events", () => {
    renderTimeline(null);

    expect(screen.queryByText(/were deleted/)).toBeNull();
  });
});
