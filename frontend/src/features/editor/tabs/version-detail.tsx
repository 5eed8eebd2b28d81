import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useId } from "react";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Select } from "@/components/ui/input";
import { SegmentedControl } from "@/components/ui/segmented-control";
import type { VersionSummary, Workflow } from "@/lib/api/types";

import { RestoreVersion } from "./restore-version";
import type { ShownVersions, VersionView } from "./use-shown-versions";
import { VersionChanges } from "./version-changes";
import { VersionDocument } from "./version-document";

interface Props {
  workflow: Workflow;
  shown: ShownVersions;
  versions: VersionSummary[];
}

const VIEWS: { value: VersionView; label: string }[] = [
  { value: "changes", label: "Changes" },
  { value: "document", label: "Document" },
];

/** One version: what it changed, or its whole text; and what can be done with it. */
export function VersionDetail({ workflow, shown, versions }: Props) {
  const { to, from, view, show } = shown;
  return (
    <Card
      title={`Version ${to}`}
      actions={
        <div className="flex flex-wrap items-center gap-2">
          {from !== null && (
            <SegmentedControl
              label="Show of this version"
              options={VIEWS}
              value={view}
              onChange={(next) => show({ view: next })}
            />
          )}
          <Button asChild>
            <Link
              to="/workflows/$workflowId/run"
              params={{ workflowId: workflow.id }}
              search={to === workflow.version ? {} : { version: to }}
            >
              <Play aria-hidden />
              Run this version
            </Link>
          </Button>
          {to !== workflow.version && <RestoreVersion workflow={workflow} number={to} />}
        </div>
      }
    >
      <div className="grid gap-4 p-4">
        {view === "changes" && from !== null ? (
          <>
            <CompareWith {...{ shown, versions }} />
            <VersionChanges workflowId={workflow.id} from={from} to={to} />
          </>
        ) : (
          <VersionDocument workflowId={workflow.id} number={to} />
        )}
      </div>
    </Card>
  );
}

function CompareWith({ shown, versions }: Pick<Props, "shown" | "versions">) {
  const id = useId();
  const others = versions.filter((version) => version.number !== shown.to);
  const known = others.some((version) => version.number === shown.from);
  return (
    <div className="flex flex-wrap items-center gap-2">
      <label htmlFor={id} className="text-ink-soft">
        Compared with
      </label>
      <Select
        id={id}
        className="w-auto max-w-full"
        value={shown.from ?? ""}
        onChange={(event) => shown.show({ from: Number(event.target.value) })}
      >
        {!known && <option value={shown.from ?? ""}>Version {shown.from}</option>}
        {others.map(({ number, note }) => (
          <option key={number} value={number}>
            Version {number}
            {note ? `: ${note.slice(0, 60)}` : ""}
          </option>
        ))}
      </Select>
    </div>
  );
}
