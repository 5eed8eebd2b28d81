import { useState } from "react";

import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import type { ApiOperation } from "@/lib/api/types";

interface Props {
  operations: ApiOperation[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

/** The operations of a document, with a checkbox for each that can be a tool. */
export function OperationChoice({ operations, chosen, onChange }: Props) {
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const shown = operations.filter(({ id, path, description }) =>
    `${id} ${path} ${description}`.toLowerCase().includes(wanted),
  );
  return (
    <fieldset className="grid min-w-0 gap-2">
      <legend className="mb-1 font-medium">Operations</legend>
      {operations.length > 10 && (
        <Field label="Search">
          <Input value={search} onChange={(event) => setSearch(event.target.value)} />
        </Field>
      )}
      <ul aria-label="Operations" className="grid max-h-72 gap-2 overflow-y-auto">
        {shown.map((operation) => (
          <li key={operation.id}>
            <Checkbox
              label={
                <span className="break-all">
                  <span className="font-mono text-[13px]">
                    {operation.method} {operation.path}
                  </span>{" "}
                  {operation.id}
                </span>
              }
              hint={operation.problem ?? operation.description}
              disabled={operation.problem !== null}
              checked={chosen.includes(operation.id)}
              onChange={(event) =>
                onChange(
                  event.target.checked
                    ? [...chosen, operation.id]
                    : chosen.filter((id) => id !== operation.id),
                )
              }
            />
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
