import { useForm, type UseFormRegister } from "react-hook-form";

import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";

import type { Known } from "../completion/complete";
import type { Member } from "../model/document";

import { FIELDS, type FormField } from "./fields";
import { isForeign, otherKeys, valuesOf, type FormValues } from "./form-values";

export interface Names extends Known {
  agents: string[];
  /** Tasks that come before this one. */
  earlier: string[];
}

interface Props {
  member: Member;
  names: Names;
  onWrite: (field: FormField, value: FormValues[string]) => void;
}

/** The fields of one agent or task. What is entered stands in the document at once. */
export function NodeForm({ member, names, onWrite }: Props) {
  const { register, getValues } = useForm<FormValues>({ defaultValues: valuesOf(member) });
  const write = (field: FormField) => onWrite(field, listed(field, getValues(field.name)));
  const others = otherKeys(member);
  return (
    <form className="grid gap-4" onSubmit={(event) => event.preventDefault()}>
      {FIELDS[member.kind].map((field) =>
        isForeign(member, field) ? (
          <p key={field.name} className="text-ink-soft">
            {field.label}: written in a way that only the YAML can show.
          </p>
        ) : (
          <Control key={field.name} field={field} names={names} register={register} write={write} />
        ),
      )}
      {others.length > 0 && (
        <p className="text-xs text-ink-soft">
          Also in the YAML: <span className="font-mono">{others.join(", ")}</span>
        </p>
      )}
    </form>
  );
}

/** One ticked box among boxes of one name comes as a list; a lone box as true or false. */
function listed({ kind }: FormField, value: FormValues[string] | undefined): FormValues[string] {
  if (kind !== "tasks" && kind !== "tools") return value ?? "";
  return Array.isArray(value) ? value : [];
}

interface ControlProps {
  field: FormField;
  names: Names;
  register: UseFormRegister<FormValues>;
  write: (field: FormField) => void;
}

function Control({ field, names, register, write }: ControlProps) {
  const { label, hint, required, kind } = field;
  const bound = register(field.name, { onChange: () => write(field) });
  if (kind === "flag") return <Checkbox label={label} hint={hint} {...bound} />;
  if (kind === "tasks" || kind === "tools") {
    const options = kind === "tasks" ? names.earlier : names.tools;
    return <Choices label={label} hint={hint} options={options} bound={bound} />;
  }
  return (
    <Field label={label} hint={hint} required={required}>
      {kind === "prose" ? (
        <Textarea className="field-sizing-content max-h-72 min-h-16" {...bound} />
      ) : kind === "model" || kind === "agent" ? (
        <NameSelect
          kind={kind}
          names={kind === "model" ? names.models : names.agents}
          bound={bound}
        />
      ) : (
        <Input inputMode={kind === "number" ? "numeric" : undefined} {...bound} />
      )}
    </Field>
  );
}

type Bound = ReturnType<UseFormRegister<FormValues>>;

/** `Field` gives the id and the descriptions to its only child. */
function NameSelect({
  kind,
  names,
  bound,
  ...given
}: {
  kind: "model" | "agent";
  names: string[];
  bound: Bound;
}) {
  return (
    <Select {...given} {...bound}>
      <option value="">{kind === "model" ? "The default model" : "Nobody"}</option>
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </Select>
  );
}

function Choices({
  label,
  hint,
  options,
  bound,
}: {
  label: string;
  hint?: string;
  options: string[];
  bound: Bound;
}) {
  if (options.length === 0) return null;
  return (
    <fieldset className="grid gap-1.5">
      <legend className="mb-1 font-medium">{label}</legend>
      <div className="flex flex-wrap gap-x-4 gap-y-1.5">
        {options.map((option) => (
          <Checkbox key={option} label={option} value={option} {...bound} />
        ))}
      </div>
      {hint && <p className="text-xs text-ink-faint">{hint}</p>}
    </fieldset>
  );
}
