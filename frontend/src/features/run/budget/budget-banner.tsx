import { useQuery } from "@tanstack/react-query";
import { Gauge, Play } from "lucide-react";
import { useForm } from "react-hook-form";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";

import { Banner } from "../banners/banner";
import { useInlineResume } from "../banners/use-inline-resume";

import {
  findExceededLimit,
  isServerLimit,
  suggestLimit,
  validateLimit,
  type BudgetLimit,
} from "./budget-limits";
import { budgetStopQuery } from "./budget-stop-query";
import { StopRunButton } from "./stop-run-button";

/** The exceeded limit of a waiting run, with a form to raise it and a button to stop the run. */
export function BudgetBanner({ run }: { run: Run }) {
  const stop = useQuery(budgetStopQuery(run));
  const limit = stop.data ? findExceededLimit(stop.data) : undefined;
  const isServerWide = limit !== undefined && isServerLimit(limit, run.budget);
  return (
    <Banner
      tone="warn"
      icon={Gauge}
      title={limit ? `Budget exceeded: ${limit.summary}` : "Budget exceeded"}
      detail={limit && explainLimit(limit, isServerWide)}
    >
      {stop.isPending && <Skeleton className="h-8 w-80 max-w-full" />}
      <Allowed scope="runs:write">
        {limit && !isServerWide && <RaiseLimitForm key={limit.allowed} run={run} limit={limit} />}
        {!stop.isPending && (!limit || isServerWide) && <ResumeOrStop run={run} />}
      </Allowed>
    </Banner>
  );
}

function explainLimit({ noun }: BudgetLimit, isServerWide: boolean): string {
  if (isServerWide) {
    return `The server-wide limit for ${noun} is reached. An administrator can raise it in the server settings.`;
  }
  return `The limit for ${noun} is reached. Raise it to continue the run where it stopped.`;
}

function ResumeOrStop({ run }: { run: Run }) {
  const resume = useInlineResume(run);
  return (
    <div className="flex flex-wrap gap-2">
      <Button busy={resume.isPending} onClick={() => resume.mutate(undefined)}>
        <Play aria-hidden />
        Try to resume
      </Button>
      <StopRunButton run={run} />
      {resume.isError && <ErrorPanel error={resume.error} className="w-full" />}
    </div>
  );
}

function RaiseLimitForm({ run, limit }: { run: Run; limit: BudgetLimit }) {
  const resume = useInlineResume(run);
  const form = useForm({ defaultValues: { allowed: String(suggestLimit(limit)) } });
  const { errors } = form.formState;
  const submit = form.handleSubmit(({ allowed }) =>
    resume.mutate({ [limit.name]: Number(allowed) }),
  );
  return (
    <form noValidate onSubmit={submit} className="grid gap-2">
      <div className="flex flex-wrap items-end gap-2">
        <Field label={`New limit: ${limit.label}`} className="w-44">
          <Input
            inputMode={limit.isInteger ? "numeric" : "decimal"}
            autoComplete="off"
            {...form.register("allowed", {
              validate: (text) => validateLimit(text, limit) ?? true,
            })}
            aria-invalid={errors.allowed ? true : undefined}
            aria-errormessage={errors.allowed ? "limit-error" : undefined}
          />
        </Field>
        <Button type="submit" variant="primary" busy={resume.isPending}>
          <Play aria-hidden />
          Raise limit and resume
        </Button>
        <StopRunButton run={run} />
      </div>
      {errors.allowed && (
        <p id="limit-error" role="alert" className="text-xs text-err">
          {errors.allowed.message}
        </p>
      )}
      {resume.isError && <ErrorPanel error={resume.error} />}
    </form>
  );
}
