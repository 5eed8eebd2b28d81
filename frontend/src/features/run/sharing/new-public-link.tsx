import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import { pluralize } from "@/lib/format";

import { LinkText } from "./link-text";
import { publicLinksQuery } from "./public-links-query";

const DAYS = [1, 7, 30, 90];

/** Creates a public link and shows it once. */
export function NewPublicLink({ runId }: { runId: string }) {
  const queryClient = useQueryClient();
  const [days, setDays] = useState(7);
  const [showsInputs, setShowsInputs] = useState(false);
  const [showsPrompts, setShowsPrompts] = useState(false);
  const create = useMutation({
    mutationFn: async () => {
      const params = { path: { run_id: runId } };
      const content = { days, showsInputs, showsPrompts };
      return body(await api.POST("/api/v1/runs/{run_id}/public-links", { params, body: content }));
    },
    gcTime: 0,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: publicLinksQuery(runId).queryKey }),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form onSubmit={submit} className="grid gap-3">
      <p className="text-ink-soft">
        Anyone with the link sees the status and the outputs of this run, without an account.
        Outputs may repeat what is in the inputs.
      </p>
      {create.isError && <ErrorPanel error={create.error} />}
      <Checkbox
        label="Show the inputs"
        checked={showsInputs}
        onChange={(event) => setShowsInputs(event.target.checked)}
      />
      <Checkbox
        label="Show the prompts of the tasks"
        checked={showsPrompts}
        onChange={(event) => setShowsPrompts(event.target.checked)}
      />
      <div className="flex flex-wrap items-end gap-3">
        <Field label="Expires in">
          <Select value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {DAYS.map((number) => (
              <option key={number} value={number}>
                {pluralize(number, "day")}
              </option>
            ))}
          </Select>
        </Field>
        <Button type="submit" variant="primary" busy={create.isPending}>
          Create public link
        </Button>
      </div>
      {create.data && (
        <div role="status" className="grid gap-1.5">
          <p>Copy the link now. It is not shown again.</p>
          <LinkText text={location.origin + create.data.path} />
        </div>
      )}
    </form>
  );
}
