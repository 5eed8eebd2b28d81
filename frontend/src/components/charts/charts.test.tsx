import { fireEvent, render, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { BarChart } from "./bar-chart";
import { LineChart } from "./line-chart";
import { Sparkline } from "./sparkline";

/** jsdom has no layout: every element is 544 pixels wide, and the plot 500. */
class FixedSizeObserver {
  private readonly callback: ResizeObserverCallback;
  constructor(callback: ResizeObserverCallback) {
    this.callback = callback;
  }
  observe() {
    this.callback([{ contentRect: { width: 544 } } as ResizeObserverEntry], this as never);
  }
  disconnect() {}
  unobserve() {}
}

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", FixedSizeObserver);
});

const SERIES = [
  { name: "Completed", colour: "var(--ok)" },
  { name: "Failed", colour: "var(--err)" },
];
const POINTS = [
  { label: "Monday 10:00", tick: "10:00", values: [3, 1] },
  { label: "Monday 11:00", tick: "11:00", values: [0, 0] },
];

function renderBars() {
  return render(<BarChart description="Four runs on Monday." points={POINTS} series={SERIES} />);
}

describe("BarChart", () => {
  it("is an image with a description", () => {
    renderBars();
    expect(screen.getByRole("img", { name: "Four runs on Monday." })).toBeInTheDocument();
  });

  it("stacks one proportional segment for each value above 0", () => {
    const { container } = renderBars();
    const segments = [...container.querySelectorAll("svg rect")];
    expect(segments).toHaveLength(2);
    const [completed, failed] = segments.map((rect) => Number(rect.getAttribute("height")));
    expect(completed).toBe(120);
    expect(failed).toBe(39);
  });

  it("shows the values under the pointer until it leaves", () => {
    renderBars();
    const slider = screen.getByRole("slider");
    fireEvent.pointerMove(slider, { clientX: 10 });
    expect(slider).toHaveAttribute("aria-valuetext", "Monday 10:00: Completed 3, Failed 1");
    expect(screen.getAllByText("Monday 10:00")).toHaveLength(2);
    fireEvent.pointerLeave(slider);
    expect(screen.getAllByText("Monday 10:00")).toHaveLength(1);
  });

  it("offers the same values as a table", () => {
    renderBars();
    const table = screen.getByRole("table");
    const row = within(table).getByRole("row", { name: /Monday 10:00/ });
    expect(
      within(row)
        .getAllByRole("cell")
        .map((cell) => cell.textContent),
    ).toEqual(["3", "1"]);
  });
});

const money = (value: number) => `$${value}`;

describe("LineChart", () => {
  it("shows an unknown value as a dash and an isolated point as a dot", () => {
    const points = [
      { label: "Mon", tick: "Mon", value: null },
      { label: "Tue", tick: "Tue", value: 2 },
      { label: "Wed", tick: "Wed", value: null },
    ];
    const { container } = render(
      <LineChart
        description="Two dollars on Tuesday."
        points={points}
        name="Cost"
        format={money}
      />,
    );
    expect(container.querySelectorAll("circle")).toHaveLength(1);
    expect(screen.getAllByRole("cell").map((cell) => cell.textContent)).toEqual(["–", "$2", "–"]);
  });

  it("connects adjacent points by a line and marks the selected one", () => {
    const points = [1, 2, 3].map((value) => ({ label: `Day ${value}`, tick: `${value}`, value }));
    const { container } = render(
      <LineChart description="Rising." points={points} name="Cost" format={money} />,
    );
    expect(container.querySelectorAll("circle")).toHaveLength(0);
    fireEvent.change(screen.getByRole("slider"), { target: { value: "1" } });
    expect(container.querySelectorAll("circle")).toHaveLength(1);
    expect(screen.getByRole("slider")).toHaveAttribute("aria-valuetext", "Day 2: Cost $2");
  });
});

describe("Sparkline", () => {
  it("draws one bar per run and underlines failures", () => {
    const { container } = render(
      <Sparkline
        values={[10, null, 20]}
        states={["completed", "running", "failed"]}
        label="Last three runs: one failed."
      />,
    );
    expect(screen.getByRole("img", { name: "Last three runs: one failed." })).toBeInTheDocument();
    const heights = [...container.querySelectorAll("rect")].map((bar) =>
      bar.getAttribute("height"),
    );
    expect(heights).toEqual(["9", "4", "18", "2"]);
  });
});
