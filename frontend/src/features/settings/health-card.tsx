import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { About, Readiness } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { aboutQuery, readinessQuery } from "@/lib/queries/system";

import { FactList, type Fact } from "./fact-list";
import { StateBadge } from "./state-badge";

const INTERVAL_MS = 5_000;

/** Live state of each part of the server. */
export function HealthCard() {
  const about = useQuery({ ...aboutQuery(), refetchInterval: INTERVAL_MS });
  const ready = useQuery({ ...readinessQuery(), refetchInterval: INTERVAL_MS });
  const error = ready.error ?? about.error;
  const isLoaded = ready.data && about.data;
  return (
    <Card title="Health" actions={ready.data && <OverallHealth ready={ready.data} />}>
      {isLoaded && <FactList facts={[...partFacts(ready.data), ...activityFacts(about.data)]} />}
      {!isLoaded && !error && <SkeletonRows rows={7} />}
      {!isLoaded && error && (
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
    <StateBadge state="good" label="All systems operational" />
  ) : (
    <StateBadge state="bad" label="Degraded" />
  );
}

/** Messages of the server that only repeat the badge. */
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
    value: <PartState ok={ok} message={message ?? ""} />,
    note: !message || REDUNDANT_MESSAGES.has(message) ? undefined : message,
  }));
  // The response itself shows that the API works.
  return [{ name: "API", value: <StateBadge state="good" label="OK" /> }, ...facts];
}

/** A loading engine is not a failure: runs wait for it. */
function PartState({ ok, message }: { ok: boolean; message: string }) {
  if (!ok) return <StateBadge state="bad" label="Failing" />;
  if (message === "loading") return <StateBadge state="pending" label="Loading" />;
  return <StateBadge state="good" label="OK" />;
}

function activityFacts(about: About): Fact[] {
  const { localModel, projects, runsAtWork, workerConcurrency, streamReaders, waitingInQueue } =
    about;
  const queued = waitingInQueue ? `${pluralize(waitingInQueue, "run")} queued` : undefined;
  return [
    {
      name: "Worker",
      value: `${runsAtWork} of ${workerConcurrency} slots in use`,
      note: waitingInQueue === 0 ? "Queue empty" : queued,
    },
    {
      name: "Local model",
      value: <LocalModelState state={localModel.state} />,
      note: localModel.state === "ready" ? undefined : localModel.message,
    },
    {
      name: "Projects",
      value: <ProjectsState state={projects.state} />,
      note: projects.hint ? `${projects.message}; ${projects.hint}` : undefined,
    },
    { name: "Live viewers", value: streamReaders },
  ];
}

function ProjectsState({ state }: { state: About["projects"]["state"] }) {
  if (state === "sandboxed") return <StateBadge state="good" label="In a sandbox" />;
  if (state === "remote") return <StateBadge state="good" label="In the workers" />;
  if (state === "unsandboxed") return <StateBadge state="bad" label="Without a sandbox" />;
  return <StateBadge state="off" label={state === "off" ? "Off" : "No sandbox"} />;
}

function LocalModelState({ state }: { state: string }) {
  if (state === "ready") return <StateBadge state="good" label="Ready" />;
  if (state === "starting") return <StateBadge state="pending" label="Starting" />;
  if (state === "failed") return <StateBadge state="bad" label="Failed" />;
  return <StateBadge state="off" label={state === "missing" ? "Not installed" : "Off"} />;
}
