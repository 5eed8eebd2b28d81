import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { About } from "@/lib/api/types";
import { aboutQuery } from "@/lib/queries/system";

import { FactList, type Fact } from "./fact-list";
import { StateBadge } from "./state-badge";

const INTERVAL_MS = 5_000;
const DATABASES = { sqlite: "SQLite", postgresql: "PostgreSQL" };
const ROLES: Record<string, string> = {
  all: "API and worker in one process",
  api: "API only",
  worker: "Worker only",
};

/** Versions of the server and its components, to copy into bug reports. */
export function AboutCard() {
  const { data, error, refetch } = useQuery({ ...aboutQuery(), refetchInterval: INTERVAL_MS });
  return (
    <Card
      title="About"
      actions={data && <CopyButton label="Copy versions" text={() => versionReport(data)} />}
    >
      {data && <FactList facts={aboutFacts(data)} />}
      {!data && !error && <SkeletonRows rows={5} />}
      {!data && error && (
        <ErrorPanel error={error} className="m-4" onRetry={() => void refetch()} />
      )}
    </Card>
  );
}

function aboutFacts({ version, engine, python, database, role, workers }: About): Fact[] {
  const usesStockExecutor = engine.state === "ready" && !engine.native;
  return [
    { name: "CrewAI Runner", value: version },
    {
      name: "Engine",
      value: (
        <>
          <span>{[engine.name, engine.version].filter(Boolean).join(" ")}</span>
          <EngineState engine={engine} />
        </>
      ),
      note:
        engine.message ?? (usesStockExecutor ? "Crews run on CrewAI's own executor." : undefined),
    },
    { name: "Python", value: python },
    { name: "Database", value: DATABASES[database] },
    { name: "Process", value: ROLES[role] ?? role },
    {
      name: "Workers",
      value: workers ?? "unknown",
      note: workers === 0 ? "No worker is running. Runs stay queued until one starts." : undefined,
    },
  ];
}

function EngineState({ engine }: { engine: About["engine"] }) {
  if (engine.state === "failed") return <StateBadge state="bad" label="Failed" />;
  if (engine.state === "loading") return <StateBadge state="pending" label="Loading" />;
  if (engine.state === "elsewhere") return <StateBadge state="good" label="In the workers" />;
  return <StateBadge state="good" label={engine.native ? "Ready (async executor)" : "Ready"} />;
}

function versionReport({ version, engine, python, database, role }: About): string {
  const executor = engine.native ? "async executor" : "stock executor";
  return [
    `CrewAI Runner ${version} (${role})`,
    `${engine.name} ${engine.version ?? "?"} (${engine.state}, ${executor})`,
    `Python ${python}`,
    `Database ${database}`,
    `Browser ${navigator.userAgent}`,
  ].join("\n");
}
