import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api } from "@/lib/api/client";
import type { Project } from "@/lib/api/types";
import { findUnsetNames } from "@/lib/project-models";
import { projectKeys } from "@/lib/queries/projects";
import { toast } from "@/lib/toast";

const MAX_FIELDS = 6;

/** Fields for the environment variables that the code reads and that are not set. */
export function UnsetVariables({ project }: { project: Project }) {
  const names = findUnsetNames(project);
  if (names.length === 0) return null;
  return (
    <Card title="Environment variables">
      <div className="grid gap-4 p-4">
        <p className="text-ink-soft">
          The code reads {names.length === 1 ? "a variable that is" : "variables that are"} not set.
          A value is stored encrypted and never shown again. Leave it empty if the code does without
          it.
        </p>
        {names.slice(0, MAX_FIELDS).map((name) => (
          <VariableField key={name} projectId={project.id} name={name} />
        ))}
        {names.length > MAX_FIELDS && (
          <Link
            to="/projects/$projectId"
            params={{ projectId: project.id }}
            search={{ tab: "secrets" }}
            className="justify-self-start text-accent underline underline-offset-2"
          >
            {names.length - MAX_FIELDS} more
          </Link>
        )}
      </div>
    </Card>
  );
}

/** Not a form: it lies in the form that starts the run. */
function VariableField({ projectId, name }: { projectId: string; name: string }) {
  const queryClient = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const save = useMutation({
    mutationFn: async (value: string) => {
      await api.PUT("/api/v1/projects/{project_id}/secrets/{name}", {
        params: { path: { project_id: projectId, name } },
        body: { value },
      });
    },
    // The value is not kept with the result.
    gcTime: 0,
    onSuccess: async () => {
      toast.success(`${name} saved`);
      save.reset();
      await queryClient.invalidateQueries({ queryKey: projectKeys.detail(projectId) });
    },
  });
  const submit = () => {
    const value = input.current?.value ?? "";
    if (value === "") input.current?.focus();
    else save.mutate(value);
  };
  return (
    <div className="grid gap-2">
      <div className="flex items-end gap-2">
        <Field
          label={<code className="font-mono text-[13px]">{name}</code>}
          className="min-w-0 flex-1"
        >
          {/* Not controlled, so that React does not keep the value. */}
          <Input
            ref={input}
            type="password"
            autoComplete="new-password"
            maxLength={32_768}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              submit();
            }}
          />
        </Field>
        <Button busy={save.isPending} onClick={submit}>
          Save<span className="sr-only"> {name}</span>
        </Button>
      </div>
      {save.error && <ErrorPanel error={save.error} />}
    </div>
  );
}
