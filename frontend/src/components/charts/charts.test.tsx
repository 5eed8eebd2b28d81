import { fireEvent, render, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { BarChart } from "./bar-chart";
import { LineChart } from "./line-chart";
import { Sparkline } from "./sparkline";

/** jsdom measures nothing: every element is 544 pixels wide, and the plot 500. */
class Measured {
  private readonly tell: ResizeObserverCallback;
  constructor(tell: ResizeObserverCallback) {
    this.tell = tell;
  }
  observe() {
    this.tell([{ contentRect: { width: 544 } } as ResizeObserverEntry], this as never);
  }
  disconnect() {}
  unobserve() {}
}

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", Measured);
});

const SERIES = [
  { name: "Completed", colour: "var(--ok)" },
  { name: "Failed", colour: "var(--err)" },
];
const POINTS = [
  { label: "Monday 10:00", tick: "10:00", values: [3, 1] },
  { label: "Monday 11:00", tick: "11:00", values: [0, 0] },
];

function bars() {
  return render(<BarChart sentence="Four runs on Monday." points={POINTS} series={SERIES} />);
}

describe("Bars", () => {
  it("is a picture with a sentence", () => {
    bars();
    expect(screen.getByRole("img", { name: "Four runs on Monday." })).toBeInTheDocument();
  });

  it("stacks one piece for each number above 0, in proportion", () => {
    const { container } = bars();
    const pieces = [...container.querySelectorAll("svg rect")];
    expect(pieces).toHaveLength(2);
    const [done, failed] = pieces.map((piece) => Number(piece.getAttribute("height")));
    expect(done).toBe(120);
    expect(failed).toBe(39);
  });

  it("shows the values under the pointer and takes them away", () => {
    bars();
    const slider = screen.getByRole("slider");
    fireEvent.pointerMove(slider, { clientX: 10 });
    expect(slider).toHaveAttribute("aria-valuetext", "Monday 10:00: Completed 3, Failed 1");
    expect(screen.getAllByText("Monday 10:00")).toHaveLength(2);
    fireEvent.pointerLeave(slider);
    expect(screen.getAllByText("Monday 10:00")).toHaveLength(1);
  });

  it("gives the same figures as a table", () => {
    bars();
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

describe("Lines", () => {
  it("says an unknown value as a dash and draws a lonely point as a dot", () => {
    const points = [
      { label: "Mon", tick: "Mon", value: null },
      { label: "Tue", tick: "Tue", value: 2 },
      { label: "Wed", tick: "Wed", value: null },
    ];
    const { container } = render(
      <LineChart sentence="Two dollars on Tuesday." points={points} name="Cost" format={money} />,
    );
    expect(container.querySelectorAll("circle")).toHaveLength(1);
    expect(screen.getAllByRole("cell").map((cell) => cell.textContent)).toEqual(["–", "$2", "–"]);
  });

  it("joins neighbours by a line, and marks the one that the keyboard is on", () => {
    const points = [1, 2, 3].map((value) => ({ label: `Day ${value}`, tick: `${value}`, value }));
    const { container } = render(
      <LineChart sentence="Rising." points={points} name="Cost" format={money} />,
    );
    expect(container.querySelectorAll("circle")).toHaveLength(0);
    fireEvent.change(screen.getByRole("slider"), { target: { value: "1" } });
    expect(container.querySelectorAll("circle")).toHaveLength(1);
    expect(screen.getByRole("slider")).toHaveAttribute("aria-valuetext", "Day 2: Cost $2");
  });
});

describe("Sparkline", () => {
  it("draws one bar for each run, and a mark under the failures", () => {
    const { container } = render(
      <Sparkline
        values={[10, null, 20]}
        states={["completed", "running", "failed"]}
        label="Last three runs: one failed."
      />,
    );
    expect(screen.getByRole("img", { name: "Last three runs: one failed." })).toBeInTheDocument();
    const tall = [...container.querySelectorAll("rect")].map((bar) => bar.getAttribute("height"));
    expect(tall).toEqual(["9", "4", "18", "2"]);
  });
});
