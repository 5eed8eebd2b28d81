import type { InputDefinition } from "@/lib/api/types";

import { parseJson, toRunInputs } from "./input-values";
import { toBudget, toMetadata, type InputsView, type LaunchValues } from "./launch-values";
import type { RunRequest } from "./use-start-run";

/** The workflow version to run. */
export interface LaunchTarget {
  workflowId: string;
  version: number;
  inputs: readonly InputDefinition[];
}

/** Builds the request from the form; in the JSON view, the inputs are sent as they were entered. */
export function buildRunRequest(
  target: LaunchTarget,
  values: LaunchValues,
  view: InputsView,
): RunRequest | { problem: string } {
  const { workflowId, version } = target;
  const rest = { budget: toBudget(values.budget), metadata: toMetadata(values.metadata) };
  if (view === "form") {
    return { workflowId, version, inputs: toRunInputs(target.inputs, values.inputs), ...rest };
  }
  const parsed = parseJson(values.json);
  return "problem" in parsed ? parsed : { workflowId, version, inputs: parsed.given, ...rest };
}
