import type { UseFormReturn } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";

import type { LaunchValues } from "./launch-values";

/** The inputs as a JSON object. */
export function JsonField({ form }: { form: UseFormReturn<LaunchValues> }) {
  const problems = form.formState.errors.json?.message?.split("\n") ?? [];
  return (
    <Field
      label="Inputs as JSON"
      hint="A JSON object with one member per input."
      error={
        problems.length > 0 && (
          <span className="grid gap-0.5">
            {problems.map((problem) => (
              <span key={problem}>{problem}</span>
            ))}
          </span>
        )
      }
    >
      <Textarea
        spellCheck={false}
        className="min-h-60 font-mono text-[13px]"
        {...form.register("json")}
      />
    </Field>
  );
}
