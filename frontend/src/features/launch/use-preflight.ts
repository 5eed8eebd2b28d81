import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useWatch, type UseFormReturn } from "react-hook-form";

import type { InputsView } from "./inputs-card";
import { launchOf, type LaunchOf } from "./launch-of";
import { limitProblem, LIMITS, type LaunchValues } from "./launch-values";
import { preflightQuery } from "./preflight";

const PAUSE_MS = 500;

/** The preflight of what stands in the form, looked at again when the typing pauses. */
export function usePreflight(
  form: UseFormReturn<LaunchValues>,
  subject: LaunchOf,
  view: InputsView,
) {
  const values = useWatch({ control: form.control }) as LaunchValues;
  const [settled, setSettled] = useState(values);

  useEffect(() => {
    const timer = setTimeout(() => setSettled(values), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [values]);

  const launch = launchOf(subject, readable(settled), view);
  return useQuery(preflightQuery("problem" in launch ? { ...empty(subject) } : launch));
}

/** The values without those limits that are no numbers: the form marks them, the preflight need not. */
function readable(values: LaunchValues): LaunchValues {
  const kept = LIMITS.map((limit) => {
    const content = values.budget[limit.name];
    return [limit.name, limitProblem(limit, content) === true ? content : ""];
  });
  const budget = Object.fromEntries(kept) as LaunchValues["budget"];
  return { ...values, budget, metadata: [] };
}

function empty({ workflowId, version }: LaunchOf) {
  return { workflowId, version, inputs: {}, budget: null, metadata: {} };
}
