import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Project } from "@/lib/api/types";
import { projectSecretsQuery } from "@/lib/queries/projects";

import { DeleteSecretDialog } from "./delete-secret-dialog";
import { SecretForm } from "./secret-form";
import { listSecretRows, type SecretRow } from "./secret-rows";

/** The environment variables of the project's runs. Their values are never shown. */
export function SecretsTab({ project }: { project: Project }) {
  const secrets = useQuery(projectSecretsQuery(project.id));
  const [name, setName] = useState("");
  const [nameToDelete, setNameToDelete] = useState<string | null>(null);
  const value = useRef<HTMLInputElement>(null);
  if (secrets.isPending) return <SkeletonRows />;
  if (!secrets.data) return <ErrorPanel error={secrets.error} onRetry={() => secrets.refetch()} />;
  const read = project.version.inspection.environmentNames ?? [];
  const rows = listSecretRows(secrets.data, read, project.providedNames);
  const edit = (row: SecretRow) => {
    setName(row.name);
    value.current?.focus();
  };
  return (
    <div className="grid gap-4">
      <Card title="Environment variables">
        <p className="px-4 pt-4 text-ink-soft">
          The runs of this project get these environment variables. Values are stored encrypted and
          cannot be read again, here or elsewhere.
        </p>
        {rows.length === 0 ? (
          <p className="p-4">No variable is set, and the code reads none.</p>
        ) : (
          <ul aria-label="Environment variables" className="mt-3 divide-y divide-line border-t">
            {rows.map((row) => (
              <Row
                key={row.name}
                row={row}
                onEdit={() => edit(row)}
                onDelete={() => setNameToDelete(row.name)}
              />
            ))}
          </ul>
        )}
      </Card>
      <Allowed scope="projects:write">
        <SecretForm
          projectId={project.id}
          name={name}
          onName={setName}
          valueRef={value}
          isReplacing={secrets.data.some((secret) => secret.name === name)}
        />
      </Allowed>
      <DeleteSecretDialog
        projectId={project.id}
        name={nameToDelete}
        onClose={() => setNameToDelete(null)}
      />
    </div>
  );
}

interface RowProps {
  row: SecretRow;
  onEdit: () => void;
  onDelete: () => void;
}

function Row({ row: { name, updatedAt, isProvided }, onEdit, onDelete }: RowProps) {
  const isSet = updatedAt !== null;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
      <code className="min-w-0 flex-1 basis-40 font-mono text-[13px] break-all">{name}</code>
      {isProvided ? (
        <span className="text-ink-soft">
          Set by the server{isSet && "; this value is not used"}
        </span>
      ) : isSet ? (
        <span className="text-ink-soft">
          Set <TimeAgo at={updatedAt} />
        </span>
      ) : (
        <Badge tone="warn">Not set</Badge>
      )}
      <Allowed scope="projects:write">
        <span className="flex gap-2">
          {!isProvided && (
            <Button size="sm" onClick={onEdit}>
              {isSet ? "Replace" : "Set"}
              <span className="sr-only"> {name}</span>
            </Button>
          )}
          {isSet && (
            <Button size="sm" variant="ghost" onClick={onDelete}>
              Delete<span className="sr-only"> {name}</span>
            </Button>
          )}
        </span>
      </Allowed>
    </li>
  );
}
