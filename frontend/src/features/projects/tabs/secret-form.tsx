import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type RefObject, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api } from "@/lib/api/client";
import { projectKeys } from "@/lib/queries/projects";
import { toast } from "@/lib/toast";

import { findNameProblem } from "./secret-rows";

interface Props {
  projectId: string;
  name: string;
  onName: (name: string) => void;
  valueRef: RefObject<HTMLInputElement | null>;
  /** Whether a variable with this name is set. */
  isReplacing: boolean;
}

/** Sets or replaces an environment variable. The value leaves the page with the request only. */
export function SecretForm({ projectId, name, onName, valueRef, isReplacing }: Props) {
  const queryClient = useQueryClient();
  const [nameProblem, setNameProblem] = useState<string | null>(null);
  const [valueProblem, setValueProblem] = useState<string | null>(null);
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
      if (valueRef.current) valueRef.current.value = "";
      toast.success(`${name} saved`);
      onName("");
      save.reset();
      await queryClient.invalidateQueries({ queryKey: projectKeys.detail(projectId) });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const value = valueRef.current?.value ?? "";
    setNameProblem(findNameProblem(name));
    setValueProblem(value === "" ? "Enter a value." : null);
    if (findNameProblem(name) === null && value !== "") save.mutate(value);
  };
  return (
    <Card title={isReplacing ? `Replace ${name}` : "Set a variable"}>
      <form onSubmit={submit} noValidate className="grid gap-4 p-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Name" error={nameProblem} required>
            <Input
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder="SERPER_API_KEY"
              className="font-mono"
              value={name}
              onChange={(event) => onName(event.target.value.trim())}
            />
          </Field>
          <Field label="Value" error={valueProblem} required>
            {/* Not controlled, so that React does not keep the value. */}
            <Input ref={valueRef} type="password" autoComplete="new-password" maxLength={32_768} />
          </Field>
        </div>
        {save.error && <ErrorPanel error={save.error} />}
        <div className="flex justify-end">
          <Button type="submit" variant="primary" busy={save.isPending}>
            {isReplacing ? "Replace value" : "Save variable"}
          </Button>
        </div>
      </form>
    </Card>
  );
}
