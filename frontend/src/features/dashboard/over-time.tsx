import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { BarChart } from "@/components/charts/bar-chart";
import { LineChart } from "@/components/charts/line-chart";
import { Card } from "@/components/ui/card";

import {
  costPoints,
  costSentence,
  hasCosts,
  inCurrency,
  PERIODS,
  runPoints,
  runsSentence,
  SERIES,
} from "./figures";
import type { Insights } from "./insights-query";

/** Runs and cost over the period. */
export function OverTime({ insights }: { insights: Insights }) {
  return (
    <>
      <RunsOverTime insights={insights} />
      <CostOverTime insights={insights} />
    </>
  );
}

function RunsOverTime({ insights }: { insights: Insights }) {
  return (
    <Card title="Runs">
      {insights.totals.runs === 0 ? (
        <Nothing>No runs {PERIODS[insights.period].words}.</Nothing>
      ) : (
        <div className="px-4 py-3">
          <BarChart
            description={runsSentence(insights)}
            points={runPoints(insights)}
            series={SERIES}
          />
        </div>
      )}
    </Card>
  );
}

function CostOverTime({ insights }: { insights: Insights }) {
  return (
    <Card title="Cost">
      {hasCosts(insights) ? (
        <div className="px-4 py-3">
          <p className="mb-3 h-4 truncate text-xs leading-4 text-ink-soft">
            {costSentence(insights)}
          </p>
          <LineChart
            description={costSentence(insights)}
            points={costPoints(insights)}
            name="Cost"
            format={inCurrency(insights)}
          />
        </div>
      ) : (
        <Nothing>
          No cost is known {PERIODS[insights.period].words}. Costs appear once a{" "}
          <Link to="/models" className="text-accent underline underline-offset-2">
            model has prices
          </Link>
          .
        </Nothing>
      )}
    </Card>
  );
}

function Nothing({ children }: { children: ReactNode }) {
  return (
    <p className="grid h-66 place-content-center px-6 text-center text-ink-soft">
      <span>{children}</span>
    </p>
  );
}
