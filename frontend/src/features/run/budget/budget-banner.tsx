import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Gauge, Play, Square } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

import { BannerBox } from "../banners/banner";
import { budgetStopQuery } from "./budget-stop-query";
import { isServersOwn, limitOf, nextLimit, type Limit } from "./budget-limits";
import { useResume } from "../banners/use-inline-resume";

/** The run has used up what it may: raise it and go on, or stop. */
export function BudgetBanner({ run }: { run: Run }) {
  const stop = useQuery(budgetStopQuery(run));
  const limit = stop.data ? limitOf(stop.data) : undefined;
  const servers = limit !== undefined && isServersOwn(limit, run.budget);
  return (
    <BannerBox
      tone="warn"
      icon={Gauge}
      title={limit ? `Budget reached: ${limit.words}` : "Budget reached"}
      detail={limit && detailOf(limit, servers)}
    >
      {stop.isPending && <Skeleton className="h-8 w-80 max-w-full" />}
      {limit && !servers && <RaiseForm key={limit.allowed} run={run} limit={limit} />}
      {!stop.isPending && (!limit || servers) && <PlainChoice run={run} />}
    </BannerBox>
  );
}

function detailOf({ noun }: Limit, servers: boolean): string {
  if (servers) {
    return `The server's own limit for ${noun} holds; whoever runs the server can raise it in its settings.`;
  }
  return `The limit for ${noun} is used up. Nothing is lost: the run goes on where it stands.`;
}

/** Where nothing can be raised from here, going on can still be tried. */
function PlainChoice({ run }: { run: Run }) {
  const resume = useResume(run);
  return (
    <div className="flex flex-wrap gap-2">
      <Button busy={resume.isPending} onClick={() => resume.mutate(undefined)}>
        <Play aria-hidden />
        Try to go on
      </Button>
      <StopButton run={run} />
      {resume.isError && <ErrorPanel error={resume.error} className="w-full" />}
    </div>
  );
}

function RaiseForm({ run, limit }: { run: Run; limit: Limit }) {
  const resume = useResume(run);
  const form = useForm({ defaultValues: { allowed: String(nextLimit(limit)) } });
  const { errors } = form.formState;
  const submit = form.handleSubmit(({ allowed }) =>
    resume.mutate({ [limit.name]: Number(allowed) }),
  );
  return (
    <form noValidate onSubmit={submit} className="grid gap-2">
      <div className="flex flex-wrap items-end gap-2">
        <Field label={`New limit: ${limit.label}`} className="w-44">
          <Input
            inputMode={limit.whole ? "numeric" : "decimal"}
            autoComplete="off"
            {...form.register("allowed", { validate: (text) => mistake(text, limit) ?? true })}
            aria-invalid={errors.allowed ? true : undefined}
            aria-errormessage={errors.allowed ? "budget-mistake" : undefined}
          />
        </Field>
        <Button type="submit" variant="primary" busy={resume.isPending}>
          <Play aria-hidden />
          Raise and go on
        </Button>
        <StopButton run={run} />
      </div>
      {errors.allowed && (
        <p id="budget-mistake" role="alert" className="text-xs text-err">
          {errors.allowed.message}
        </p>
      )}
      {resume.isError && <ErrorPanel error={resume.error} />}
    </form>
  );
}

/** What is wrong with a new limit. */
export function mistake(text: string, limit: Limit): string | undefined {
  const figure = Number(text);
  if (text.trim() === "" || !Number.isFinite(figure)) return "Enter a number.";
  if (limit.whole && !Number.isInteger(figure)) return "Enter a whole number.";
  const least = Math.max(limit.used ?? 0, limit.allowed);
  return figure > least ? undefined : `Enter more than ${least}, which is used up.`;
}

function StopButton({ run }: { run: Run }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const stop = useMutation({
    mutationFn: () =>
      api.POST("/api/v1/runs/{run_id}/stop", {
        params: { path: { run_id: run.id } },
        body: { mode: "now" },
      }),
    onSettled: () => {
      setAsking(false);
      return queries.invalidateQueries({ queryKey: runKeys.detail(run.id), exact: true });
    },
  });
  return (
    <>
      <Button onClick={() => setAsking(true)}>
        <Square aria-hidden />
        Stop the run
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title="Stop this run?"
        description="What its tasks brought so far is kept. It can be resumed later."
        action="Stop the run"
        busy={stop.isPending}
        onConfirm={() => stop.mutate()}
      />
      {stop.isError && <ErrorPanel error={stop.error} className="w-full" />}
    </>
  );
}
