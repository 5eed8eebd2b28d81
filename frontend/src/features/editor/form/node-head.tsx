import { Trash2 } from "lucide-react";
import { useState } from "react";

import { Field } from "@/components/ui/field";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";

import type { Member } from "../model/document";

interface Props {
  member: Member;
  /** Names that others of its kind have. */
  taken: string[];
  onRename: (name: string) => void;
  onDelete: () => void;
}

const NAME = /^[^\s{}[\]](?:[^{}\n\r\t]*[^\s{}])?$/;

/** The name of the node, and the button that takes it away. */
export function NodeHead({ member, taken, onRename, onDelete }: Props) {
  const [name, setName] = useState(member.key);
  const error = faultOf(name, taken);
  const commit = () => {
    if (!error && name !== member.key) onRename(name);
  };
  return (
    <div className="flex items-start gap-2">
      <Field
        className="flex-1"
        label={member.kind === "agent" ? "Agent name" : "Task name"}
        error={error}
        hint="Renaming changes every place that names it."
      >
        <Input
          value={name}
          className="font-mono"
          onChange={(event) => setName(event.target.value)}
          onBlur={commit}
          onKeyDown={(event) => event.key === "Enter" && commit()}
        />
      </Field>
      <div className="pt-6">
        <IconButton label={`Delete ${member.kind} ${member.key}`} onClick={onDelete}>
          <Trash2 aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}

function faultOf(name: string, taken: string[]): string | undefined {
  if (taken.includes(name)) return "Another one has this name already.";
  return NAME.test(name) ? undefined : "A name has no braces, and no space at its ends.";
}
