import { Trash2 } from "lucide-react";
import { useState } from "react";

import { Field } from "@/components/ui/field";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";

import type { Member } from "../model/parse-workflow";

interface Props {
  member: Member;
  /** The names of the other agents or tasks. */
  takenNames: string[];
  onRename: (name: string) => void;
  onDelete: () => void;
}

const NAME = /^[^\s{}[\]](?:[^{}\n\r\t]*[^\s{}])?$/;

/** The name of an agent or task, and the button that deletes it. */
export function NodeHeader({ member, takenNames, onRename, onDelete }: Props) {
  const [name, setName] = useState(member.key);
  const error = validateName(name, takenNames);
  const commit = () => {
    if (!error && name !== member.key) onRename(name);
  };
  return (
    <div className="flex items-start gap-2">
      <Field
        className="flex-1"
        label={member.kind === "agent" ? "Agent name" : "Task name"}
        error={error}
        hint="Renaming also updates every reference to it."
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

function validateName(name: string, takenNames: string[]): string | undefined {
  if (takenNames.includes(name)) return "This name is already used.";
  if (NAME.test(name)) return undefined;
  return "A name must not be empty, contain braces, or start or end with a space.";
}
