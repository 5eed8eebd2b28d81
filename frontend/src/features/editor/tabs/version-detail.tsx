import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useId } from "react";

import { Allowed } from "@/components/allowed";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Select } from "@/components/ui/input";
import { SegmentedControl } from "@/components/ui/segmented-control";
import type { VersionSummary, Workflow } from "@/lib/api/types";

import { RestoreVersion } from "./restore-version";
import type { VersionSelection, VersionView } from "./use-version-selection";
import { VersionChanges } from "./version-changes";
import { VersionDocument } from "./version-document";

interface Props {
  workflow: Workflow;
  selection: VersionSelection;
  versions: VersionSummary[];
}

const VIEWS: { value: VersionView; label: string }[] = [
  { value: "changes", label: "Changes" },
  { value: "document", label: "Document" },
];

/** A version with its changes or its document, and the actions for it. */
export function VersionDetail({ workflow, selection, versions }: Props) {
  const { to, from, view, show } = selection;
  return (
    <Card
      title={`Version ${to}`}
      actions={
        <div className="flex flex-wrap items-center gap-2">
          {from !== null && (
            <SegmentedControl
              label="Show"
              options={VIEWS}
              value={view}
              onChange={(next) => show({ view: next })}
            />
          )}
          <Allowed scope="runs:write">
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
          </Allowed>
          {to !== workflow.version && <RestoreVersion workflow={workflow} number={to} />}
        </div>
      }
    >
      <div className="grid gap-4 p-4">
        {view === "changes" && from !== null ? (
          <>
            <CompareWith {...{ selection, versions }} />
            <VersionChanges workflowId={workflow.id} from={from} to={to} />
          </>
        ) : (
          <VersionDocument workflowId={workflow.id} number={to} />
        )}
      </div>
    </Card>
  );
}

function CompareWith({ selection, versions }: Pick<Props, "selection" | "versions">) {
  const id = useId();
  const others = versions.filter((version) => version.number !== selection.to);
  const isListed = others.some((version) => version.number === selection.from);
  return (
    <div className="flex flex-wrap items-center gap-2">
      <label htmlFor={id} className="text-ink-soft">
        Compared with
      </label>
      <Select
        id={id}
        className="w-auto max-w-full"
        value={selection.from ?? ""}
        onChange={(event) => selection.show({ from: Number(event.target.value) })}
      >
        {!isListed && <option value={selection.from ?? ""}>Version {selection.from}</option>}
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
