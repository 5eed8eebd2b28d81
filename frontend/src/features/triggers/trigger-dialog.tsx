import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import type { Trigger, TriggerSecret } from "@/lib/api/types";
import { projectsQuery } from "@/lib/queries/projects";
import { workflowsQuery } from "@/lib/queries/workflows";

import { SIGNATURES } from "./curl-example";
import { createTrigger, triggerKeys } from "./trigger-requests";

interface Props {
  onClose: () => void;
  onCreated: (created: TriggerSecret) => void;
}

/** Creates a trigger. Its inputs are mapped afterwards, when a body may have been received. */
export function TriggerDialog({ onClose, onCreated }: Props) {
  const client = useQueryClient();
  const workflows = useInfiniteQuery(workflowsQuery());
  const projects = useInfiniteQuery(projectsQuery());
  const [name, setName] = useState("");
  const [target, setTarget] = useState("");
  const [signature, setSignature] = useState<Trigger["signature"]>("standard-webhooks");
  const [secret, setSecret] = useState("");
  const saving = useMutation({
    mutationFn: () =>
      createTrigger({
        name,
        signature,
        ...(target.startsWith("proj_") ? { projectId: target } : { workflowId: target }),
        ...(secret ? { secret } : {}),
        inputs: {},
        isEnabled: true,
      }),
    gcTime: 0,
    onSuccess: async (created) => {
      await client.invalidateQueries({ queryKey: triggerKeys.all });
      onCreated(created);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  const savedWorkflows = workflows.data?.pages.flatMap((page) => page.workflows) ?? [];
  const savedProjects = projects.data?.pages.flatMap((page) => page.projects) ?? [];
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Add a trigger"
      description="An outside service starts runs by posting JSON to an address."
    >
      <form className="grid gap-4" onSubmit={submit}>
        {saving.isError && <ErrorPanel error={saving.error} />}
        <Field label="Name" required>
          <Input required value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <Field label="Starts" hint="Always in its newest version." required>
          <Select required value={target} onChange={(event) => setTarget(event.target.value)}>
            <option value="">Choose a workflow or project</option>
            {[...savedWorkflows, ...savedProjects].map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Signature" hint="How the sender proves that it knows the secret.">
          <Select
            value={signature}
            onChange={(event) => setSignature(event.target.value as Trigger["signature"])}
          >
            {Object.entries(SIGNATURES).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Secret" hint="Only if the sender has made one. Empty: a random one.">
          <Input
            type="password"
            autoComplete="off"
            minLength={16}
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
          />
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={saving.isPending}>
            Add trigger
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
