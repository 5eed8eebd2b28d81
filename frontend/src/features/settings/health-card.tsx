import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { About, Readiness } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { aboutQuery, readinessQuery } from "@/lib/queries/system";

import { FactList, type Fact } from "./fact-list";
import { StateBadge } from "./state-badge";

const EVERY_MS = 5_000;

/** How each part of the server is, kept true. */
export function HealthCard() {
  const about = useQuery({ ...aboutQuery(), refetchInterval: EVERY_MS });
  const ready = useQuery({ ...readinessQuery(), refetchInterval: EVERY_MS });
  const error = ready.error ?? about.error;
  const known = ready.data && about.data;
  return (
    <Card title="Health" actions={ready.data && <OverallHealth ready={ready.data} />}>
      {known && <FactList facts={[...partFacts(ready.data), ...activityFacts(about.data)]} />}
      {!known && !error && <SkeletonRows rows={7} />}
      {!known && error && (
        <ErrorPanel
          error={error}
          className="m-4"
          onRetry={() => {
            void ready.refetch();
            void about.refetch();
          }}
        />
      )}
    </Card>
  );
}

function OverallHealth({ ready }: { ready: Readiness }) {
  return ready.status === "ready" ? (
    <StateBadge state="good" word="Everything works" />
  ) : (
    <StateBadge state="bad" word="Something does not work" />
  );
}

/** Messages that only repeat the badge beside them. */
const REDUNDANT_MESSAGES = new Set(["answers", "runs", "ready", "loading"]);
const PARTS: Record<string, string> = {
  database: "Database",
  queue: "Queue",
  disk: "Disk",
  engine: "Engine",
};

function partFacts({ parts }: Readiness): Fact[] {
  const facts = Object.entries(parts).map(([name, { ok, message }]) => ({
    name: PARTS[name] ?? name,
    value: <PartState ok={ok} message={message} />,
    note: REDUNDANT_MESSAGES.has(message) ? undefined : message,
  }));
  // This very answer is the proof.
  return [{ name: "API", value: <StateBadge state="good" word="Works" /> }, ...facts];
}

/** The engine counts as well while it loads: runs wait for it. */
function PartState({ ok, message }: { ok: boolean; message: string }) {
  if (!ok) return <StateBadge state="bad" word="Does not work" />;
  if (message === "loading") return <StateBadge state="coming" word="Loading" />;
  return <StateBadge state="good" word="Works" />;
}

function activityFacts(about: About): Fact[] {
  const { localModel, runsAtWork, workerConcurrency, streamReaders, waitingInQueue } = about;
  const queued = waitingInQueue ? `${pluralize(waitingInQueue, "run")} in the queue` : undefined;
  return [
    {
      name: "Worker",
      value: `${runsAtWork} of ${workerConcurrency} places taken`,
      note: waitingInQueue === 0 ? "nothing in the queue" : queued,
    },
    {
      name: "Local model",
      value: <LocalModelState state={localModel.state} />,
      note: localModel.state === "ready" ? undefined : localModel.message,
    },
    { name: "Live pages", value: pluralize(streamReaders, "stream reader") },
  ];
}

function LocalModelState({ state }: { state: string }) {
  if (state === "ready") return <StateBadge state="good" word="Ready" />;
  if (state === "starting") return <StateBadge state="coming" word="Starting" />;
  if (state === "failed") return <StateBadge state="bad" word="Failed" />;
  return <StateBadge state="off" word={state === "missing" ? "Not installed" : "Off"} />;
}
