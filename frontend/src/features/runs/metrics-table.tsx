import { ArrowDown, ArrowUp, CircleHelp, Equal } from "lucide-react";

import { Card } from "@/components/ui/card";
import type { RunDiff } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { compareMetrics, type MetricComparison } from "./run-comparison";

const DIRECTIONS = {
  same: { Icon: Equal, className: "text-ink-faint" },
  more: { Icon: ArrowUp, className: "text-ink" },
  less: { Icon: ArrowDown, className: "text-ink" },
  unknown: { Icon: CircleHelp, className: "text-ink-faint" },
};

/** Duration, cost and tokens of both runs, and the change from A to B. */
export function MetricsTable({ diff }: { diff: RunDiff }) {
  return (
    <Card title="Metrics">
      <table className="w-full text-right">
        <thead className="text-xs text-ink-faint">
          <tr className="border-b bg-sunken">
            <th scope="col" className="h-8 px-4 text-left font-medium max-sm:px-3">
              Metric
            </th>
            <th scope="col" className="px-2 font-medium">
              A
            </th>
            <th scope="col" className="px-2 font-medium">
              B
            </th>
            <th scope="col" className="px-4 font-medium max-sm:px-3">
              Change
            </th>
          </tr>
        </thead>
        <tbody>
          {compareMetrics(diff).map((figure) => (
            <MetricRow key={figure.name} figure={figure} />
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function MetricRow({ figure }: { figure: MetricComparison }) {
  const { Icon, className } = DIRECTIONS[figure.direction];
  return (
    <tr className="border-b last:border-0">
      <th
        scope="row"
        className="h-9 px-4 text-left font-normal whitespace-nowrap text-ink-soft max-sm:px-3"
      >
        {figure.name}
      </th>
      <td className="px-2">{figure.a}</td>
      <td className="px-2">{figure.b}</td>
      <td className={cn("px-4 whitespace-nowrap max-sm:px-3", className)}>
        <span className="inline-flex items-center gap-1">
          <Icon aria-hidden className="size-3.5" />
          {figure.change}
        </span>
      </td>
    </tr>
  );
}
