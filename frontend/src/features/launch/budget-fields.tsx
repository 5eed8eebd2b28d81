import type { UseFormReturn } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import type { Budget } from "@/lib/api/types";

import { LIMITS, validateLimit, type LaunchValues, type Limit } from "./launch-values";

interface Props {
  form: UseFormReturn<LaunchValues>;
  /** The limits of the workflow; the lower limit applies. */
  workflowBudget?: Budget | null;
}

/** The spending limits of the run. */
export function BudgetFields({ form, workflowBudget }: Props) {
  const { errors } = form.formState;
  return (
    <fieldset className="grid gap-3 p-4">
      <legend className="sr-only">Budget of this run</legend>
      <p className="text-ink-soft">
        Limits are checked before each model call. When one is reached, the run pauses and asks you
        how to continue. Leave a field empty for no limit.
      </p>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        {LIMITS.map((limit) => (
          <Field
            key={limit.name}
            label={limit.label}
            hint={describeLimit(limit, workflowBudget)}
            error={errors.budget?.[limit.name]?.message}
          >
            <Input
              autoComplete="off"
              inputMode={limit.isInteger ? "numeric" : "decimal"}
              placeholder="No limit"
              {...form.register(`budget.${limit.name}`, {
                validate: (content) => validateLimit(limit, content),
              })}
            />
          </Field>
        ))}
      </div>
    </fieldset>
  );
}

function describeLimit(limit: Limit, workflowBudget: Budget | null | undefined): string {
  const workflowLimit = workflowBudget?.[limit.name];
  return workflowLimit == null ? limit.hint : `Workflow limit: ${String(workflowLimit)}`;
}
