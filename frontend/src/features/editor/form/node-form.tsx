import { useForm, type UseFormRegister } from "react-hook-form";

import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";

import type { FormField } from "./form-fields";
import {
  isUnsupported,
  listOtherKeys,
  readFormValues,
  type FieldOwner,
  type FormValues,
} from "./form-values";
import { ToolPicker } from "./tool-picker";

interface Props {
  member: FieldOwner;
  fields: FormField[];
  /** Why the values of fields are not valid, by field name. */
  errors?: Record<string, string | undefined>;
  /** Whether to name the keys that only the YAML shows. */
  listsOtherKeys?: boolean;
  /** The names or values to choose from, by field name. */
  options: Record<string, string[]>;
  onWrite: (field: FormField, value: FormValues[string]) => void;
}

/** The fields of an agent, a task or the workflow. */
export function NodeForm({
  member,
  fields,
  errors = {},
  listsOtherKeys = true,
  options,
  onWrite,
}: Props) {
  const { register, getValues } = useForm<FormValues>({
    defaultValues: readFormValues(member, fields),
  });
  const write = (field: FormField) => {
    const value = getValues(field.name) ?? "";
    // React Hook Form gives `false` for a group of checkboxes of which none is checked.
    onWrite(field, field.control === "checkboxes" && !Array.isArray(value) ? [] : value);
  };
  const otherKeys = listsOtherKeys ? listOtherKeys(member, fields) : [];
  return (
    <form className="grid gap-4" onSubmit={(event) => event.preventDefault()}>
      {fields.map((field) =>
        isUnsupported(member, field) ? (
          <p key={field.name} className="text-ink-soft">
            <FieldLabel field={field} />: this value can only be edited in the YAML.
          </p>
        ) : (
          <Control
            key={field.name}
            field={field}
            error={errors[field.name]}
            options={options[field.name] ?? []}
            register={register}
            write={write}
          />
        ),
      )}
      {otherKeys.length > 0 && (
        <p className="text-xs text-ink-soft">
          Also set in the YAML: <span className="font-mono">{otherKeys.join(", ")}</span>
        </p>
      )}
    </form>
  );
}

/** The label with the YAML key beside it. */
function FieldLabel({ field: { label, name } }: { field: FormField }) {
  return (
    <>
      {label} <code className="font-mono text-xs font-normal text-ink-faint">{name}</code>
    </>
  );
}

interface ControlProps {
  field: FormField;
  error?: string;
  options: string[];
  register: UseFormRegister<FormValues>;
  write: (field: FormField) => void;
}

function Control({ field, error, options, register, write }: ControlProps) {
  const { hint, required, control } = field;
  const label = <FieldLabel field={field} />;
  const registration = register(field.name, { onChange: () => write(field) });
  if (control === "checkbox") return <Checkbox label={label} hint={hint} {...registration} />;
  if (control === "checkboxes" && field.reference === "tool") {
    return <ToolPicker {...{ label, hint, registration }} names={options} />;
  }
  if (control === "checkboxes") {
    if (options.length === 0) return null;
    return (
      <fieldset className="grid gap-1.5">
        <legend className="mb-1 font-medium">{label}</legend>
        <div className="flex flex-wrap gap-x-4 gap-y-1.5">
          {options.map((option) => (
            <Checkbox key={option} label={option} value={option} {...registration} />
          ))}
        </div>
        {hint && <p className="text-xs text-ink-faint">{hint}</p>}
      </fieldset>
    );
  }
  return (
    <Field label={label} hint={hint} error={error} required={required}>
      {control === "lines" ? (
        <Textarea className="min-h-16 font-mono" spellCheck={false} {...registration} />
      ) : control === "prose" ? (
        <Textarea className="field-sizing-content max-h-72 min-h-16" {...registration} />
      ) : control === "select" ? (
        <Select {...registration}>
          <option value="">{field.reference === "model" ? "Default model" : "None"}</option>
          {options.map((option) => (
            <option key={option} value={option}>
              {option}
            </option>
          ))}
        </Select>
      ) : (
        <Input inputMode={control === "number" ? "numeric" : undefined} {...registration} />
      )}
    </Field>
  );
}
