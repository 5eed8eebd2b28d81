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

/** The files that will be imported, and those still missing. */
export function ChosenFiles({ source, onChange, onClear }: Props) {
  const files =
    source.kind === "archive"
      ? [{ name: source.file.name, there: true }]
      : [
          { name: source.agents?.name ?? "agents.yaml", there: source.agents !== null },
          { name: source.tasks?.name ?? "tasks.yaml", there: source.tasks !== null },
        ];
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2 rounded-md border px-3 py-2">
        <ul aria-label="Chosen files" className="flex flex-wrap gap-x-4 gap-y-1">
          {files.map(({ name, there }) => (
            <li key={name} className="flex items-center gap-1.5">
              {there ? (
                <CircleCheck aria-hidden className="size-4 text-ok" />
              ) : (
                <CircleDashed aria-hidden className="size-4 text-ink-faint" />
              )}
              {name}
              {!there && <span className="text-ink-faint">still missing</span>}
            </li>
          ))}
        </ul>
        <Button variant="ghost" size="sm" onClick={onClear}>
          <X aria-hidden />
          Remove
        </Button>
      </div>
      {source.kind === "pair" && (
        <Field label="Name of the workflow" hint="The two files do not say how the crew is called.">
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
