import { CircleAlert, Play } from "lucide-react";
import { useId, useState } from "react";
import { useForm } from "react-hook-form";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { WorkflowDefinition } from "@/lib/api/types";

import type { GivenInputs } from "./input-values";
import { InputsCard, type InputsView } from "./inputs-card";
import { launchOf, type LaunchOf } from "./launch-of";
import { launchValues, type LaunchValues } from "./launch-values";
import { LimitFields } from "./limit-fields";
import { MetadataFields } from "./metadata-fields";
import { isBlocked } from "./preflight";
import { PreflightPanel } from "./preflight-panel";
import { useStartRun } from "./start-run";
import { StartProblem, tellFields } from "./start-problem";
import { usePreflight } from "./use-preflight";

interface Props {
  workflowId: string;
  version: number;
  definition: WorkflowDefinition;
  /** What the inputs are filled with; else the defaults. */
  given?: GivenInputs;
  onStarted: (runId: string) => void;
}

/** Asks for all that a run needs, and starts it. */
export function LaunchForm({ workflowId, version, definition, given, onStarted }: Props) {
  const id = useId();
  const [view, setView] = useState<InputsView>("form");
  const form = useForm<LaunchValues>({
    defaultValues: launchValues(definition.inputs ?? [], given),
  });
  const start = useStartRun(onStarted);
  const subject: LaunchOf = { workflowId, version, inputs: definition.inputs ?? [] };
  const preflight = usePreflight(form, subject, view);

  const submit = form.handleSubmit((values) => {
    const launch = launchOf(subject, values, view);
    if ("problem" in launch) {
      form.setError("json", { message: launch.problem }, { shouldFocus: true });
      return;
    }
    // The answer is awaited here, so that the form is busy until then.
    return start.mutateAsync(launch).then(undefined, (error: unknown) => {
      tellFields(form, error, subject.inputs, view);
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
        <InputsCard {...{ form, view, workflowId }} onView={setView} inputs={subject.inputs} />
        <Card title="Budget">
          <LimitFields form={form} own={definition.budget} />
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
        {start.error && <StartProblem error={start.error} inputs={subject.inputs} view={view} />}
        <div className="flex items-center justify-end gap-3">
          {preflight.data && isBlocked(preflight.data) ? (
            <span className="flex items-center gap-1.5 text-err">
              <CircleAlert aria-hidden className="size-4" />
              Cannot start yet
            </span>
          ) : (
            <span className="text-ink-faint">Runs version {version}</span>
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
