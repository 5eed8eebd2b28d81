import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { useUpdateProject } from "@/hooks/use-update-project";
import { ApiProblem } from "@/lib/api/problem";
import type { Project } from "@/lib/api/types";
import { useCan } from "@/lib/rights";

const PERSON = "person";
const CHOICES = [
  { value: "", label: "Everyone who may answer" },
  { value: "operator", label: "Operators, editors and owners" },
  { value: "editor", label: "Editors and owners" },
  { value: "owner", label: "Owners" },
  { value: PERSON, label: "One person" },
];

/** Chooses who is asked when the code of the project asks a person. */
export function ApproverChoice({ project }: { project: Project }) {
  const saved = project.approver ?? "";
  const [choice, setChoice] = useState(saved.includes("@") ? PERSON : saved);
  const update = useUpdateProject(project.id, "Saved who is asked");
  const canChange = useCan("projects:write");
  const choose = (value: string) => {
    setChoice(value);
    update.reset();
    if (value !== PERSON) update.mutate({ approver: value || null });
  };
  return (
    <div className="grid gap-2">
      <Field
        label="Who is asked"
        hint="When the code asks a person. Owners may always answer. Applies to the runs that start from now on."
      >
        <Select
          className="max-w-xl"
          disabled={update.isPending || !canChange}
          value={choice}
          onChange={(event) => choose(event.target.value)}
        >
          {CHOICES.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      </Field>
      {choice === PERSON && (
        <PersonForm
          saved={saved.includes("@") ? saved : ""}
          canChange={canChange}
          isSaving={update.isPending}
          error={update.error}
          onSave={(approver) => update.mutate({ approver })}
        />
      )}
      {update.error && choice !== PERSON && <ErrorPanel error={update.error} />}
    </div>
  );
}

interface PersonProps {
  saved: string;
  canChange: boolean;
  isSaving: boolean;
  error: Error | null;
  onSave: (email: string) => void;
}

function PersonForm({ saved, canChange, isSaving, error, onSave }: PersonProps) {
  const [email, setEmail] = useState(saved);
  const problem = error instanceof ApiProblem ? error.fields[0]?.detail : undefined;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSave(email.trim());
  };
  return (
    <form onSubmit={submit} className="flex max-w-xl flex-wrap items-start gap-2">
      <Field label="E-mail address" className="flex-1" error={problem}>
        <Input
          type="email"
          required
          readOnly={!canChange}
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
      </Field>
      {canChange && (
        <Button type="submit" busy={isSaving} className="mt-6">
          Save
        </Button>
      )}
      {error && !problem && <ErrorPanel error={error} />}
    </form>
  );
}
