import type { ComponentProps } from "react";
import type { UseFormRegisterReturn } from "react-hook-form";

import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";
import type { InputDefinition } from "@/lib/api/types";

import { formatInputValue, isChoice } from "./input-values";

interface Props {
  input: InputDefinition;
  registration: UseFormRegisterReturn;
  /** The current value; it stays an option even if it is no longer listed. */
  value: unknown;
  error?: string;
}

/** The control for one typed input. */
export function InputField({ input, registration, value, error }: Props) {
  if (input.type === "boolean" && !isChoice(input))
    return <BooleanField {...{ input, registration, error }} />;
  return (
    <Field
      label={<InputLabel input={input} />}
      hint={input.description}
      error={error}
      required={input.required && input.default == null}
    >
      {isChoice(input) ? (
        <InputSelect input={input} registration={registration} value={value} />
      ) : MULTILINE_TYPES.includes(input.type) ? (
        <Textarea
          spellCheck={input.type === "text"}
          className={input.type === "text" ? "min-h-28" : "min-h-28 font-mono text-[13px]"}
          placeholder={getPlaceholder(input)}
          {...registration}
        />
      ) : (
        <Input
          autoComplete="off"
          inputMode={INPUT_MODES[input.type]}
          placeholder={getPlaceholder(input)}
          {...registration}
        />
      )}
    </Field>
  );
}

const MULTILINE_TYPES: readonly unknown[] = ["text", "array", "object"];

const INPUT_MODES = { string: "text", integer: "numeric", number: "decimal" } as Record<
  string,
  "text" | "numeric" | "decimal"
>;

function InputLabel({ input }: { input: InputDefinition }) {
  return (
    <>
      {input.name} <span className="text-xs font-normal text-ink-faint">{describeType(input)}</span>
    </>
  );
}

type InputSelectProps = Omit<ComponentProps<typeof Select>, "value"> &
  Pick<Props, "input" | "registration" | "value">;

/** A select; the id and ARIA attributes from its `Field` are passed on. */
function InputSelect({ input, registration, value: current, ...rest }: InputSelectProps) {
  const choices = (input.enum ?? []).map((one) => ({
    value: JSON.stringify(one),
    label: formatInputValue(one),
  }));
  const isRemoved =
    typeof current === "string" && current && !choices.some(({ value }) => value === current);
  return (
    <Select {...rest} {...registration}>
      <option value="">{describeEmptyChoice(input)}</option>
      {choices.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
      {isRemoved && <option value={current}>{current} (no longer available)</option>}
    </Select>
  );
}

function describeEmptyChoice(input: InputDefinition): string {
  if (input.default != null) return `Default: ${formatInputValue(input.default)}`;
  return input.required ? "Choose…" : "None";
}

function BooleanField({ input, registration, error }: Omit<Props, "value">) {
  return (
    <div className="grid gap-1">
      <Checkbox label={<InputLabel input={input} />} hint={input.description} {...registration} />
      {error && <p className="text-xs text-err">{error}</p>}
    </div>
  );
}

function getPlaceholder(input: InputDefinition): string | undefined {
  const isNumeric = input.type === "integer" || input.type === "number";
  return isNumeric && input.default != null
    ? `Default: ${formatInputValue(input.default)}`
    : undefined;
}

/** `whole number, optional`: what the control itself does not show. */
function describeType(input: InputDefinition): string {
  const typeNames = {
    integer: "whole number",
    number: "number",
    array: "JSON list",
    object: "JSON object",
    any: "text or JSON",
  } as Record<string, string>;
  const parts = isChoice(input) ? [] : [typeNames[input.type]];
  return [...parts, !input.required && input.type !== "boolean" && "optional"]
    .filter(Boolean)
    .join(", ");
}
