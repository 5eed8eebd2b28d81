import { Link } from "@tanstack/react-router";

import { Alert } from "@/components/ui/alert";
import type { InputDefinition, Run } from "@/lib/api/types";

import { findRemovedInputs } from "./input-values";

interface Props {
  /** The earlier run whose inputs fill the form. */
  run?: Run;
  /** Why that run could not be loaded. */
  error: unknown;
  inputs: readonly InputDefinition[];
}

/** Says where the values of the form come from, if not from the defaults. */
export function InputsSource({ run, error, inputs }: Props) {
  if (error) {
    return (
      <Alert tone="warn" title="The inputs of the earlier run could not be loaded">
        The form shows the default values instead.
      </Alert>
    );
  }
  if (!run) return null;
  const removed = findRemovedInputs(inputs, run.inputs);
  return (
    <p className="text-ink-soft">
      Inputs copied from{" "}
      <Link to="/runs/$runId" params={{ runId: run.id }} className="text-accent underline">
        an earlier run
      </Link>
      .{removed.length > 0 && ` No longer in this version: ${removed.join(", ")}.`}
    </p>
  );
}
