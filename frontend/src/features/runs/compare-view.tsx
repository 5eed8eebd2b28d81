import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Skeleton } from "@/components/ui/skeleton";
import type { RunDiff, WorkflowDefinition } from "@/lib/api/types";
import { runQuery } from "@/lib/queries/runs";

import { outputLabel, pathLabel, withoutDuplicateResult } from "./run-comparison";
import { DiffSection } from "./diff-section";
import { runDiffQuery } from "./run-diff-query";
import { MetricsTable } from "./metrics-table";
import { RunPicker } from "./run-picker";
import { ComparedRun } from "./compared-run";

export type Side = "a" | "b";

interface Props {
  a?: string;
  b?: string;
  onPick: (side: Side, runId: string) => void;
}

/** Compares two runs; shows a picker where one is missing. */
export function CompareView({ a, b, onPick }: Props) {
  const [changing, setChanging] = useState<Side | null>(null);
  const pick = (side: Side, runId: string) => {
    setChanging(null);
    onPick(side, runId);
  };
  const side = (name: Side, runId: string | undefined, other: string | undefined) =>
    runId && changing !== name ? (
      <ComparedRun name={name} runId={runId} onChange={() => setChanging(name)} />
    ) : (
      <RunPicker
        name={name}
        other={other}
        onPick={(id) => pick(name, id)}
        onCancel={runId ? () => setChanging(null) : undefined}
      />
    );
  return (
    <>
      <div className="grid items-start gap-4 sm:grid-cols-2">
        {side("a", a, b)}
        {side("b", b, a)}
      </div>
      {a && b && !changing && <Comparison key={`${a} ${b}`} a={a} b={b} />}
    </>
  );
}

function Comparison({ a, b }: { a: string; b: string }) {
  const diff = useQuery(runDiffQuery(a, b));
  const definition = useQuery({ ...runQuery(a), retry: false }).data?.definition;
  if (diff.isPending) return <ComparisonSkeleton />;
  if (diff.isError) return <ErrorPanel error={diff.error} onRetry={() => void diff.refetch()} />;
  return (
    <>
      {a === b && <p className="text-ink-soft">Both sides show the same run.</p>}
      <MetricsTable diff={diff.data} />
      <Sections diff={diff.data} definition={definition} />
    </>
  );
}

function Sections({ diff, definition }: { diff: RunDiff; definition?: WorkflowDefinition }) {
  return (
    <>
      <DiffSection
        title="Inputs"
        emptyText="Both runs have the same inputs."
        changes={diff.inputs}
        labelFor={(path) => pathLabel(path)}
      />
      <DiffSection
        title="Outputs"
        emptyText="Both runs have identical output."
        changes={withoutDuplicateResult(diff.outputs)}
        labelFor={outputLabel}
      />
      <DiffSection
        title="Definition"
        emptyText="Both runs use the same definition."
        changes={diff.definition}
        labelFor={(path) => pathLabel(path, definition)}
      />
    </>
  );
}

function ComparisonSkeleton() {
  return (
    <div role="status" className="grid gap-4">
      <span className="sr-only">Loading…</span>
      <Skeleton className="h-72" />
      <Skeleton className="h-32" />
      <Skeleton className="h-48" />
    </div>
  );
}
