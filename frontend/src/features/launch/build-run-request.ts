import type { InputDefinition } from "@/lib/api/types";

import { parseJson, toRunInputs } from "./input-values";
import { toBudget, toMetadata, type InputsView, type LaunchValues } from "./launch-values";
import type { RunRequest } from "./use-start-run";

/** A saved workflow, or a project. */
export type RunSource = { workflowId: string } | { projectId: string };

/** The version to run. */
export interface LaunchTarget {
  source: RunSource;
  version: number;
  inputs: readonly InputDefinition[];
}

/** Builds the request from the form; in the JSON view, the inputs are sent as they were entered. */
export function buildRunRequest(
  target: LaunchTarget,
  values: LaunchValues,
  view: InputsView,
): RunRequest | { problem: string } {
  const { source, version } = target;
  const rest = { budget: toBudget(values.budget), metadata: toMetadata(values.metadata) };
  if (view === "form") {
    return { ...source, version, inputs: toRunInputs(target.inputs, values.inputs), ...rest };
  }
  const parsed = parseJson(values.json);
  return "problem" in parsed ? parsed : { ...source, version, inputs: parsed.given, ...rest };
}
