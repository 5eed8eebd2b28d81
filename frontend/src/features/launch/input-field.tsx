import type { ComponentProps } from "react";
import type { UseFormRegisterReturn } from "react-hook-form";

import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";
import type { InputDefinition } from "@/lib/api/types";

import { inWords, isChoice } from "./input-values";

interface Props {
  input: InputDefinition;
  field: UseFormRegisterReturn;
  /** What stands in it now, to keep a choice that the list does not have. */
  content: unknown;
  error?: string;
}

/** The control for one typed input. */
export function InputField({ input, field, content, error }: Props) {
  if (input.type === "boolean" && !isChoice(input)) return <Tick {...{ input, field, error }} />;
  return (
    <Field
      label={<Name input={input} />}
      hint={hintOf(input)}
      error={error}
      required={input.required && input.default == null}
    >
      {isChoice(input) ? (
        <Choices input={input} field={field} content={content} />
      ) : input.type === "text" ? (
        <Textarea className="min-h-28" placeholder={placeholderOf(input)} {...field} />
      ) : (
        <Input
          autoComplete="off"
          inputMode={KEYBOARDS[input.type]}
          placeholder={placeholderOf(input)}
          {...field}
        />
      )}
    </Field>
  );
}

const KEYBOARDS = { string: "text", integer: "numeric", number: "decimal" } as Record<
  string,
  "text" | "numeric" | "decimal"
>;

function Name({ input }: { input: InputDefinition }) {
  return (
    <>
      {input.name} <span className="text-xs font-normal text-ink-faint">{typeWord(input)}</span>
    </>
  );
}

type ChoicesProps = Omit<ComponentProps<typeof Select>, "content"> &
  Pick<Props, "input" | "field" | "content">;

/** A list to choose from; what its `Field` gives it goes on to the control. */
function Choices({ input, field, content, ...rest }: ChoicesProps) {
  const choices = (input.enum ?? []).map((one) => ({
    value: JSON.stringify(one),
    word: inWords(one),
  }));
  const foreign =
    typeof content === "string" && content && !choices.some(({ value }) => value === content);
  return (
    <Select {...rest} {...field}>
      <option value="">{emptyChoice(input)}</option>
      {choices.map(({ value, word }) => (
        <option key={value} value={value}>
          {word}
        </option>
      ))}
      {foreign && <option value={content}>{content} (no longer a choice)</option>}
    </Select>
  );
}

function emptyChoice(input: InputDefinition): string {
  if (input.default != null) return `Default: ${inWords(input.default)}`;
  return input.required ? "Choose…" : "None";
}

function Tick({ input, field, error }: Omit<Props, "content">) {
  return (
    <div className="grid gap-1">
      <Checkbox label={<Name input={input} />} hint={input.description} {...field} />
      {error && <p className="text-xs text-err">{error}</p>}
    </div>
  );
}

function placeholderOf(input: InputDefinition): string | undefined {
  const numeric = input.type === "integer" || input.type === "number";
  return numeric && input.default != null ? `Default: ${inWords(input.default)}` : undefined;
}

function hintOf(input: InputDefinition): string | undefined {
  return input.description ?? undefined;
}

/** What the control itself does not show: that only numbers fit, that it may stay empty. */
function typeWord(input: InputDefinition): string {
  const kinds = { integer: "whole number", number: "number" } as Record<string, string>;
  const words = isChoice(input) ? [] : [kinds[input.type]];
  return [...words, !input.required && input.type !== "boolean" && "optional"]
    .filter(Boolean)
    .join(", ");
}
