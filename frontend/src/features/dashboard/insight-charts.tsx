import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Allowed } from "@/components/allowed";
import { BarChart } from "@/components/charts/bar-chart";
import { LineChart } from "@/components/charts/line-chart";
import { Card } from "@/components/ui/card";

import {
  costChartPoints,
  describeCosts,
  hasCosts,
  currencyFormatter,
  PERIODS,
  runChartPoints,
  describeRuns,
  SERIES,
} from "./insights";
import type { Insights } from "./insights-query";

/** Charts of runs and cost over the period. */
export function InsightCharts({ insights }: { insights: Insights }) {
  return (
    <>
      <RunsChart insights={insights} />
      <CostChart insights={insights} />
    </>
  );
}

function RunsChart({ insights }: { insights: Insights }) {
  return (
    <Card title="Runs">
      {insights.totals.runs === 0 ? (
        <EmptyChart>No runs {PERIODS[insights.period].description}.</EmptyChart>
      ) : (
        <div className="px-4 py-3">
          <BarChart
            description={describeRuns(insights)}
            points={runChartPoints(insights)}
            series={SERIES}
          />
        </div>
      )}
    </Card>
  );
}

function CostChart({ insights }: { insights: Insights }) {
  return (
    <Card title="Cost">
      {hasCosts(insights) ? (
        <div className="px-4 py-3">
          <p className="mb-3 h-4 truncate text-xs leading-4 text-ink-soft">
            {describeCosts(insights)}
          </p>
          <LineChart
            description={describeCosts(insights)}
            points={costChartPoints(insights)}
            name="Cost"
            format={currencyFormatter(insights)}
          />
        </div>
      ) : (
        <EmptyChart>
          No known costs {PERIODS[insights.period].description}.{" "}
          <Allowed scope="models:write">
            <Link to="/models" className="text-accent underline underline-offset-2">
              Set model prices
            </Link>{" "}
            to see costs.
          </Allowed>
        </EmptyChart>
      )}
    </Card>
  );
}

function EmptyChart({ children }: { children: ReactNode }) {
  return (
    <p className="grid h-66 place-content-center px-6 text-center text-ink-soft">
      <span>{children}</span>
    </p>
  );
}
