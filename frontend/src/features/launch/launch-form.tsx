import { CircleAlert, Play } from "lucide-react";
import { useId, useState } from "react";
import { useForm } from "react-hook-form";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { Budget, InputDefinition } from "@/lib/api/types";

import type { RunInputs } from "./input-values";
import { InputsCard } from "./inputs-card";
import { buildRunRequest, type LaunchTarget, type RunSource } from "./build-run-request";
import { createLaunchValues, type InputsView, type LaunchValues } from "./launch-values";
import { BudgetFields } from "./budget-fields";
import { MetadataFields } from "./metadata-fields";
import { isBlocked } from "./preflight";
import { PreflightPanel } from "./preflight-panel";
import { useStartRun } from "./use-start-run";
import { showFieldErrors, StartError } from "./start-error";
import { usePreflight } from "./use-preflight";

interface Props {
  source: RunSource;
  version: number;
  inputs: readonly InputDefinition[];
  /** The limits of the workflow; the lower limit applies. */
  workflowBudget?: Budget | null;
  /** The initial inputs; the defaults if absent. */
  given?: RunInputs;
  onStarted: (runId: string) => void;
}

/** The form with inputs, budget and metadata that starts a run. */
export function LaunchForm({ source, version, inputs, workflowBudget, given, onStarted }: Props) {
  const id = useId();
  const [view, setView] = useState<InputsView>("form");
  const form = useForm<LaunchValues>({
    defaultValues: createLaunchValues(inputs, given),
  });
  const start = useStartRun(onStarted);
  const target: LaunchTarget = { source, version, inputs };
  const preflight = usePreflight(form, target, view);

  const submit = form.handleSubmit((values) => {
    const request = buildRunRequest(target, values, view);
    if ("problem" in request) {
      form.setError("json", { message: request.problem }, { shouldFocus: true });
      return;
    }
    // Returned, so that the form is submitting until the response arrives.
    return start.mutateAsync(request).then(undefined, (error: unknown) => {
      showFieldErrors(form, error, target.inputs, view);
    });
  });

  return (
    <form
      id={id}
      onSubmit={submit}
      noValidate
      className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]"
    >
      <div className="grid min-w-0 gap-4">
        <InputsCard {...{ form, view, source, inputs }} onView={setView} />
        <Card title="Budget">
          <BudgetFields form={form} workflowBudget={workflowBudget} />
        </Card>
        <details className="rounded-lg border bg-surface">
          <summary className="cursor-pointer px-4 py-3 font-semibold">Advanced</summary>
          <div className="border-t p-4">
            <MetadataFields form={form} />
          </div>
        </details>
      </div>
      <div className="min-w-0 lg:sticky lg:top-4">
        <PreflightPanel preflight={preflight} />
      </div>
      <div className="sticky bottom-0 z-10 -mx-4 grid gap-2 border-t bg-sunken px-4 py-3 sm:-mx-6 sm:px-6 lg:col-span-2">
        {start.error && <StartError error={start.error} inputs={target.inputs} view={view} />}
        <div className="flex items-center justify-end gap-3">
          {preflight.data && isBlocked(preflight.data) ? (
            <span className="flex items-center gap-1.5 text-err">
              <CircleAlert aria-hidden className="size-4" />
              Cannot start
            </span>
          ) : (
            <span className="text-ink-faint">Version {version}</span>
          )}
          <Button type="submit" variant="primary" size="lg" busy={form.formState.isSubmitting}>
            {!form.formState.isSubmitting && <Play aria-hidden />}
            Start run
          </Button>
        </div>
      </div>
    </form>
  );
}
