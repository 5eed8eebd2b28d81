import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import type { MappedInput, Trigger } from "@/lib/api/types";
import { toast } from "@/lib/toast";

import { previewQuery, triggerKeys, updateTrigger } from "./trigger-requests";

/** The pointer of each input, with the value it has in the last received body. */
export function MappingForm({ trigger }: { trigger: Trigger }) {
  const client = useQueryClient();
  const [pointers, setPointers] = useState(trigger.inputs);
  const [shown, setShown] = useState(trigger.inputs);
  const preview = useQuery({
    ...previewQuery(trigger.id, shown),
    placeholderData: (previous) => previous,
  });
  const saving = useMutation({
    mutationFn: () => updateTrigger(trigger, { inputs: pointers }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: triggerKeys.all });
      toast.success("Mapping saved.");
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  const change = (name: string, pointer: string) => {
    const changed = Object.entries({ ...pointers, [name]: pointer });
    setPointers(Object.fromEntries(changed.filter(([, one]) => one)));
  };
  if (preview.isError)
    return <ErrorPanel error={preview.error} onRetry={() => preview.refetch()} />;
  if (!preview.data) return null;
  if (!preview.data.inputs.length) return <p className="text-ink-soft">It takes no inputs.</p>;
  const hasBody = preview.data.deliveryId !== null;
  return (
    <form className="grid gap-3" onSubmit={submit}>
      <p className="text-ink-soft">
        A JSON pointer such as <code>/issue/title</code> takes the value of an input from the body.
        {!hasBody && " Values are shown once a body has been received."}
      </p>
      {preview.data.inputs.map((input) => (
        <Field key={input.name} label={input.name} hint={hasBody && describeValue(input)}>
          <Input
            className="font-mono"
            placeholder="/pointer"
            value={pointers[input.name] ?? ""}
            onChange={(event) => change(input.name, event.target.value)}
          />
        </Field>
      ))}
      {saving.isError && <ErrorPanel error={saving.error} />}
      <div className="flex gap-2">
        <Button onClick={() => setShown(pointers)} busy={preview.isFetching}>
          Preview
        </Button>
        <Button type="submit" variant="primary" busy={saving.isPending}>
          Save mapping
        </Button>
      </div>
    </form>
  );
}

function describeValue({ isFound, value, problem }: MappedInput): string {
  const text = isFound ? JSON.stringify(value).slice(0, 200) : "Not in the last body.";
  return problem ? `${text} ${problem}` : text;
}
