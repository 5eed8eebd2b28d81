import { SendHorizontal, X } from "lucide-react";
import { useMemo, useState } from "react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import type { Approval } from "@/lib/api/types";

import {
  buildAnswer,
  listAnswerFields,
  type AnswerField,
  type FieldValue,
  type FieldValues,
} from "./answer-fields";
import { resolveErrorMessage } from "./approval-labels";
import { useResolveApproval } from "./use-resolve-approval";

/** The form that a tool's server wants to have filled in during a call. */
export function ToolQuestionForm({ approval }: { approval: Approval }) {
  const resolve = useResolveApproval(approval);
  const fields = useMemo(() => listAnswerFields(approval.parameters), [approval.parameters]);
  const [values, setValues] = useState<FieldValues>(() =>
    Object.fromEntries(fields.map(({ name, initial }) => [name, initial])),
  );
  const action = resolve.isPending ? resolve.variables.action : null;
  return (
    <form
      className="grid gap-3 border-t bg-sunken px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault();
        resolve.mutate({ action: "approve", arguments: buildAnswer(fields, values) });
      }}
    >
      {fields.map((field) => (
        <AnswerInput
          key={field.name}
          field={field}
          value={values[field.name] ?? ""}
          onChange={(value) => setValues((all) => ({ ...all, [field.name]: value }))}
        />
      ))}
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          variant="primary"
          busy={action === "approve"}
          disabled={action !== null}
        >
          <SendHorizontal aria-hidden />
          Send answer
        </Button>
        <Button
          type="button"
          variant="danger"
          className="sm:ml-auto"
          busy={action === "reject"}
          disabled={action !== null}
          onClick={() => resolve.mutate({ action: "reject" })}
        >
          <X aria-hidden />
          Decline
        </Button>
      </div>
      {resolve.isError && (
        <Alert tone="err" title={resolveErrorMessage(resolve.error).title}>
          {resolveErrorMessage(resolve.error).detail}
        </Alert>
      )}
      <p className="text-xs text-ink-faint">
        The server of {approval.tool} asks this and receives the answer. Answers are stored with the
        run: do not enter passwords. If you decline, the server is told, and the run continues.
      </p>
    </form>
  );
}

interface InputProps {
  field: AnswerField;
  value: FieldValue;
  onChange: (value: FieldValue) => void;
}

function AnswerInput({ field, value, onChange }: InputProps) {
  if (field.kind === "boolean") {
    return (
      <Checkbox
        label={field.label}
        hint={field.hint}
        checked={value === true}
        onChange={(event) => onChange(event.target.checked)}
      />
    );
  }
  if (field.kind === "choices") return <Choices field={field} value={value} onChange={onChange} />;
  return (
    <Field label={field.label} hint={field.hint} required={field.isRequired} className="max-w-xl">
      {field.kind === "choice" ? (
        <Select
          value={String(value)}
          required={field.isRequired}
          onChange={(event) => onChange(event.target.value)}
        >
          <option value="">Choose…</option>
          {field.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </Select>
      ) : (
        <Input
          type={field.kind === "text" ? "text" : "number"}
          step={field.kind === "number" ? "any" : undefined}
          value={String(value)}
          maxLength={10_000}
          autoComplete="off"
          required={field.isRequired}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function Choices({ field, value, onChange }: InputProps) {
  const chosen = Array.isArray(value) ? value : [];
  return (
    <fieldset className="grid gap-1">
      <legend className="text-xs font-medium text-ink-soft">{field.label}</legend>
      {field.hint && <p className="text-xs text-ink-faint">{field.hint}</p>}
      {field.options.map((option) => (
        <Checkbox
          key={option.value}
          label={option.label}
          checked={chosen.includes(option.value)}
          onChange={(event) =>
            onChange(
              field.options
                .map((one) => one.value)
                .filter((one) =>
                  one === option.value ? event.target.checked : chosen.includes(one),
                ),
            )
          }
        />
      ))}
    </fieldset>
  );
}
