import { CircleCheck, CircleDashed, X } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";

import type { Source } from "./import-source";

interface Props {
  source: Exclude<Source, { kind: "document" }>;
  onChange: (source: Source) => void;
  onClear: () => void;
}

/** The files to import, and the ones that are missing. */
export function SelectedFiles({ source, onChange, onClear }: Props) {
  const files =
    source.kind === "archive"
      ? [{ name: source.file.name, isSelected: true }]
      : [
          { name: source.agents?.name ?? "agents.yaml", isSelected: source.agents !== null },
          { name: source.tasks?.name ?? "tasks.yaml", isSelected: source.tasks !== null },
        ];
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2 rounded-md border px-3 py-2">
        <ul aria-label="Selected files" className="flex flex-wrap gap-x-4 gap-y-1">
          {files.map(({ name, isSelected }) => (
            <li key={name} className="flex items-center gap-1.5">
              {isSelected ? (
                <CircleCheck aria-hidden className="size-4 text-ok" />
              ) : (
                <CircleDashed aria-hidden className="size-4 text-ink-faint" />
              )}
              {name}
              {!isSelected && <span className="text-ink-faint">missing</span>}
            </li>
          ))}
        </ul>
        <Button variant="ghost" size="sm" onClick={onClear}>
          <X aria-hidden />
          Remove
        </Button>
      </div>
      {source.kind === "pair" && (
        <Field label="Workflow name" hint="agents.yaml and tasks.yaml do not contain a name.">
          <Input
            maxLength={200}
            placeholder="Imported crew"
            value={source.name}
            onChange={(event) => onChange({ ...source, name: event.target.value })}
          />
        </Field>
      )}
    </div>
  );
}
