import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { JsonView } from "@/components/json-view/json-view";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import type { Run } from "@/lib/api/types";
import { formatDateTime, formatDuration } from "@/lib/format";
import { useIsShared } from "@/lib/rights";

import type { Engine } from "./engine-query";

/** Id, times, engine and metadata of the run. */
export function RunPropertiesCard({ run, engine }: { run: Run; engine: Engine | null }) {
  const isShared = useIsShared();
  const metadata = run.metadata ?? {};
  return (
    <Card title="Run">
      <dl className="grid gap-x-4 gap-y-2 px-4 py-3 sm:grid-cols-[8rem_1fr]">
        <Property name="ID">
          <span className="-my-1 flex items-center gap-1">
            <code className="min-w-0 font-mono text-[13px] break-all">{run.id}</code>
            <CopyButton text={run.id} label="Copy run ID" />
          </span>
        </Property>
        {run.forkedFrom && (
          <Property name="Forked from">
            <Link
              to="/runs/$runId"
              params={{ runId: run.forkedFrom }}
              className="font-mono text-[13px] break-all text-accent underline underline-offset-2"
            >
              {run.forkedFrom}
            </Link>
          </Property>
        )}
        {isShared && <Property name="Started by">{run.createdByName}</Property>}
        <Property name="Created">{formatDateTime(run.createdAt)}</Property>
        <Property name="Started">{run.startedAt ? formatDateTime(run.startedAt) : "–"}</Property>
        <Property name="Finished">{run.finishedAt ? formatDateTime(run.finishedAt) : "–"}</Property>
        <Property name="Active time">{formatDuration(run.secondsAtWork * 1000)}</Property>
        <Property name="Attempts">{run.attempt}</Property>
        <Property name="Engine">
          {engine?.name ?? "available once the run starts"}
          {engine?.native === false && (
            <span className="text-warn">
              {" "}
              · standard executor: model calls in progress are not cancelled by a stop
            </span>
          )}
        </Property>
        <Property name="Metadata">
          {Object.keys(metadata).length === 0 ? (
            <span className="text-ink-faint">none</span>
          ) : (
            <JsonView value={metadata} />
          )}
        </Property>
      </dl>
    </Card>
  );
}

function Property({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-ink-soft max-sm:-mb-2 max-sm:text-xs">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}
