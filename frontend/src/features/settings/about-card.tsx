import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { About } from "@/lib/api/types";
import { aboutQuery } from "@/lib/queries/system";

import { FactList, type Fact } from "./fact-list";
import { StateBadge } from "./state-badge";

const EVERY_MS = 5_000;
const DATABASES = { sqlite: "SQLite", postgresql: "PostgreSQL" };
const ROLES: Record<string, string> = {
  all: "API and worker in one process",
  api: "API only",
  worker: "Worker only",
};

/** What runs here, in which version; to be copied into a report of a problem. */
export function AboutCard() {
  const { data, error, refetch } = useQuery({ ...aboutQuery(), refetchInterval: EVERY_MS });
  return (
    <Card
      title="About"
      actions={data && <CopyButton label="Copy the versions" text={() => versionReport(data)} />}
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
  const stock = engine.state === "ready" && !engine.native;
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
      note: engine.message ?? (stock ? "The stock executor runs the crews." : undefined),
    },
    { name: "Python", value: python },
    { name: "Database", value: DATABASES[database] },
    { name: "Process", value: ROLES[role] ?? role },
    {
      name: "Workers",
      value: workers ?? "unknown",
      note: workers === 0 ? "No worker is alive: runs wait until one is started." : undefined,
    },
  ];
}

function EngineState({ engine }: { engine: About["engine"] }) {
  if (engine.state === "failed") return <StateBadge state="bad" word="Failed" />;
  if (engine.state === "loading") return <StateBadge state="coming" word="Loading" />;
  if (engine.state === "elsewhere") return <StateBadge state="good" word="In the workers" />;
  return <StateBadge state="good" word={engine.native ? "Ready, native" : "Ready"} />;
}

function versionReport({ version, engine, python, database, role }: About): string {
  const native = engine.native ? "native" : "stock";
  return [
    `CrewAI Runner ${version} (${role})`,
    `${engine.name} ${engine.version ?? "?"} (${engine.state}, ${native})`,
    `Python ${python}`,
    `Database ${database}`,
    `Browser ${navigator.userAgent}`,
  ].join("\n");
}
