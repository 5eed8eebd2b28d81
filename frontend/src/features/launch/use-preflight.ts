import { useQuery } from "@tanstack/react-query";
import { useWatch, type UseFormReturn } from "react-hook-form";

import { useDebounced } from "@/hooks/use-debounced";

import { buildRunRequest, type LaunchTarget } from "./build-run-request";
import { LIMITS, validateLimit, type InputsView, type LaunchValues } from "./launch-values";
import { preflightQuery } from "./preflight";

const PAUSE_MS = 500;

interface Options {
  /** What the answer depends on besides the values. */
  state?: string;
  enabled: boolean;
}

/** The preflight of the form values, repeated after a pause in typing. */
export function usePreflight(
  form: UseFormReturn<LaunchValues>,
  target: LaunchTarget,
  view: InputsView,
  { state, enabled }: Options,
) {
  const values = useWatch({ control: form.control }) as LaunchValues;
  const debounced = useDebounced(values, PAUSE_MS);
  const request = buildRunRequest(target, removeInvalidLimits(debounced), view);
  const { source, version } = target;
  const emptyRequest = { ...source, version, inputs: {}, budget: null, metadata: {} };
  const checked = "problem" in request ? emptyRequest : request;
  return useQuery({ ...preflightQuery(checked, state), enabled });
}

/** Empties invalid limits, which the form already reports, and the metadata, which is not checked. */
function removeInvalidLimits(values: LaunchValues): LaunchValues {
  const kept = LIMITS.map((limit) => {
    const content = values.budget[limit.name];
    return [limit.name, validateLimit(limit, content) === true ? content : ""];
  });
  const budget = Object.fromEntries(kept) as LaunchValues["budget"];
  return { ...values, budget, metadata: [] };
}
