import type { InputDefinition } from "@/lib/api/types";

import { fromJson, givenInputs } from "./input-values";
import type { InputsView } from "./inputs-card";
import { givenBudget, givenMetadata, type LaunchValues } from "./launch-values";
import type { Launch } from "./start-run";

/** What is launched. */
export interface LaunchOf {
  workflowId: string;
  version: number;
  inputs: readonly InputDefinition[];
}

/** The request that the form stands for; the JSON view is sent as it was written. */
export function launchOf(
  subject: LaunchOf,
  values: LaunchValues,
  view: InputsView,
): Launch | { problem: string } {
  const { workflowId, version } = subject;
  const rest = { budget: givenBudget(values.budget), metadata: givenMetadata(values.metadata) };
  if (view === "form") {
    return { workflowId, version, inputs: givenInputs(subject.inputs, values.inputs), ...rest };
  }
  const read = fromJson(values.json);
  return "problem" in read ? read : { workflowId, version, inputs: read.given, ...rest };
}
