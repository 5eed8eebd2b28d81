import { CircleAlert, LoaderCircle, Play } from "lucide-react";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
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
  /** Settings that apply to the run, shown after its inputs. */
  settings?: ReactNode;
  /** The progress of the build that a start waits for; nothing once the version can run. */
  build?: ReactNode;
  /** What the preflight depends on besides the form. */
  checkedState?: string;
  /** Files to attach to the run. */
  files?: readonly File[];
  /** Why no run can start here at all. */
  refusal?: string;
  onStarted: (runId: string) => void;
}

/** The form with inputs, budget and metadata that starts a run. */
export function LaunchForm(props: Props) {
  const { source, version, inputs, workflowBudget, given, settings, build, refusal, onStarted } =
    props;
  const isReady = !build;
  const id = useId();
  const [view, setView] = useState<InputsView>("form");
  const form = useForm<LaunchValues>({
    defaultValues: createLaunchValues(inputs, given),
  });
  const start = useStartRun(onStarted, props.files);
  const target: LaunchTarget = { source, version, inputs };
  const preflight = usePreflight(form, target, view, {
    state: props.checkedState,
    enabled: isReady,
  });
  const [isWaiting, setWaiting] = useState(false);

  const submit = form.handleSubmit((values) => {
    const request = buildRunRequest(target, values, view);
    if ("problem" in request) {
      form.setError("json", { message: request.problem }, { shouldFocus: true });
      return;
    }
    if (!isReady) {
      setWaiting(true);
      return;
    }
    // Returned, so that the form is submitting until the response arrives.
    return start.mutateAsync(request).then(undefined, (error: unknown) => {
      showFieldErrors(form, error, target.inputs, view);
    });
  });

  const startWaitingRun = () => {
    setWaiting(false);
    void submit();
  };
  return (
    <form
      id={id}
      onSubmit={submit}
      noValidate
      className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]"
    >
      <div className="grid min-w-0 gap-4">
        <InputsCard {...{ form, view, source, inputs }} onView={setView} />
        {settings}
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
        {build || <PreflightPanel preflight={preflight} />}
      </div>
      <div className="sticky bottom-0 z-10 -mx-4 grid gap-2 border-t bg-sunken px-4 py-3 sm:-mx-6 sm:px-6 lg:col-span-2">
        {start.error && <StartError error={start.error} inputs={target.inputs} view={view} />}
        {isWaiting ? (
          <WaitingForBuild
            isReady={isReady}
            onReady={startWaitingRun}
            onCancel={() => setWaiting(false)}
          />
        ) : (
          <div className="flex items-center justify-end gap-3">
            {refusal || (isReady && preflight.data && isBlocked(preflight.data)) ? (
              <span className="flex items-center gap-1.5 text-err">
                <CircleAlert aria-hidden className="size-4 shrink-0" />
                {refusal ?? "Cannot start"}
              </span>
            ) : (
              <span className="text-ink-faint">Version {version}</span>
            )}
            <Button
              type="submit"
              variant="primary"
              size="lg"
              busy={form.formState.isSubmitting}
              disabled={refusal !== undefined}
            >
              {!form.formState.isSubmitting && <Play aria-hidden />}
              {isReady ? "Start run" : "Start when the build is ready"}
            </Button>
          </div>
        )}
      </div>
    </form>
  );
}

interface WaitingProps {
  isReady: boolean;
  onReady: () => void;
  onCancel: () => void;
}

function WaitingForBuild({ isReady, onReady, onCancel }: WaitingProps) {
  const latest = useRef(onReady);
  useEffect(() => {
    latest.current = onReady;
  }, [onReady]);
  useEffect(() => {
    if (isReady) latest.current();
  }, [isReady]);
  return (
    <div className="flex flex-wrap items-center justify-end gap-x-3 gap-y-2">
      <p role="status" className="flex items-center gap-1.5">
        <LoaderCircle aria-hidden className="size-4 shrink-0 animate-spin text-live" />
        The run starts when the build is ready. Keep this page open.
      </p>
      <Button size="lg" onClick={onCancel}>
        Cancel the start
      </Button>
    </div>
  );
}
