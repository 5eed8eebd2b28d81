import { Plus, X } from "lucide-react";
import { useFieldArray, type UseFormReturn } from "react-hook-form";

import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";

import type { LaunchValues } from "./launch-values";

const MAX_ROWS = 50;

/** Key-value pairs stored with the run. */
export function MetadataFields({ form }: { form: UseFormReturn<LaunchValues> }) {
  const { fields, append, remove } = useFieldArray({ control: form.control, name: "metadata" });
  return (
    <fieldset className="grid gap-2">
      <legend className="font-medium">Metadata</legend>
      <p className="text-xs text-ink-faint">
        Stored with the run, for example a ticket number. The API can filter runs by metadata.
      </p>
      {fields.map((row, index) => (
        <div key={row.id} className="grid grid-cols-[1fr_1fr_auto] gap-2">
          <Input
            aria-label={`Key ${index + 1}`}
            placeholder="key"
            {...form.register(`metadata.${index}.key`)}
          />
          <Input
            aria-label={`Value ${index + 1}`}
            placeholder="value"
            {...form.register(`metadata.${index}.value`)}
          />
          <IconButton label={`Remove row ${index + 1}`} onClick={() => remove(index)}>
            <X aria-hidden />
          </IconButton>
        </div>
      ))}
      {fields.length < MAX_ROWS && (
        <Button
          size="sm"
          className="justify-self-start"
          onClick={() => append({ key: "", value: "" })}
        >
          <Plus aria-hidden />
          Add row
        </Button>
      )}
    </fieldset>
  );
}
