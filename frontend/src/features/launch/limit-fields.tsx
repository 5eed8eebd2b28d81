import type { UseFormReturn } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import type { Budget } from "@/lib/api/types";

import { LIMITS, limitProblem, type LaunchValues, type Limit } from "./launch-values";

interface Props {
  form: UseFormReturn<LaunchValues>;
  /** The limits that the workflow itself sets: the tighter of the two holds. */
  own?: Budget | null;
}

/** What the run may spend. */
export function LimitFields({ form, own }: Props) {
  const { errors } = form.formState;
  return (
    <fieldset className="grid gap-3 p-4">
      <legend className="sr-only">Budget of this run</legend>
      <p className="text-ink-soft">
        Looked at before each model call. When a limit is reached the run waits and asks you:
        nothing is lost. Empty means no limit of this run’s own.
      </p>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        {LIMITS.map((limit) => (
          <Field
            key={limit.name}
            label={limit.label}
            hint={hintOf(limit, own)}
            error={errors.budget?.[limit.name]?.message}
          >
            <Input
              autoComplete="off"
              inputMode={limit.whole ? "numeric" : "decimal"}
              placeholder="No limit"
              {...form.register(`budget.${limit.name}`, {
                validate: (content) => limitProblem(limit, content),
              })}
            />
          </Field>
        ))}
      </div>
    </fieldset>
  );
}

function hintOf(limit: Limit, own: Budget | null | undefined): string {
  const set = own?.[limit.name];
  return set == null ? limit.unit : `the workflow allows ${String(set)}`;
}
