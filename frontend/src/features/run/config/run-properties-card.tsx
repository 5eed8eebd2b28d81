import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { JsonView } from "@/components/json-view/json-view";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import type { Run } from "@/lib/api/types";
import { formatDateTime, formatDuration } from "@/lib/format";

import type { Engine } from "./engine-query";

/** Who started the run, when, on what, and its ids. */
export function FactsCard({ run, engine }: { run: Run; engine: Engine | null }) {
  const metadata = run.metadata ?? {};
  return (
    <Card title="Run">
      <dl className="grid gap-x-4 gap-y-2 px-4 py-3 sm:grid-cols-[8rem_1fr]">
        <Fact name="Id">
          <Id text={run.id} what="run" />
        </Fact>
        {run.forkedFrom && (
          <Fact name="Forked from">
            <Link
              to="/runs/$runId"
              params={{ runId: run.forkedFrom }}
              className="font-mono text-[13px] break-all text-accent underline underline-offset-2"
            >
              {run.forkedFrom}
            </Link>
          </Fact>
        )}
        <Fact name="Started by">{run.createdBy}</Fact>
        <Fact name="Asked for">{formatDateTime(run.createdAt)}</Fact>
        <Fact name="Began">{run.startedAt ? formatDateTime(run.startedAt) : "not yet"}</Fact>
        <Fact name="Ended">{run.finishedAt ? formatDateTime(run.finishedAt) : "not yet"}</Fact>
        <Fact name="Time at work">{formatDuration(run.secondsAtWork * 1000)}</Fact>
        <Fact name="Attempts">{run.attempt}</Fact>
        <Fact name="Engine">
          {engine?.name ?? "known once the run has begun"}
          {engine?.native === false && (
            <span className="text-warn"> · stock executor: stops reach the provider late</span>
          )}
        </Fact>
        <Fact name="Metadata">
          {Object.keys(metadata).length === 0 ? (
            <span className="text-ink-faint">none</span>
          ) : (
            <JsonView value={metadata} />
          )}
        </Fact>
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-ink-soft max-sm:-mb-2 max-sm:text-xs">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

function Id({ text, what }: { text: string; what: string }) {
  return (
    <span className="-my-1 flex items-center gap-1">
      <code className="min-w-0 font-mono text-[13px] break-all">{text}</code>
      <CopyButton text={text} label={`Copy the ${what}'s id`} />
    </span>
  );
}
