import { Link, useNavigate } from "@tanstack/react-router";
import { CircleX, Play, ScanSearch } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import type { RunFailure } from "@/lib/api/types";

import type { RunProps } from "../run-props";

import { Banner } from "./banner";
import { findFailedSpan } from "./find-failed-span";
import { isProviderFailure } from "./is-provider-failure";
import { useInlineResume } from "./use-inline-resume";

/** The error of a failed run, with buttons to open the failed step and to resume. */
export function FailedBanner({ run, store, failure }: RunProps & { failure: RunFailure }) {
  const navigate = useNavigate();
  const resume = useInlineResume(run);
  const openFailedStep = () =>
    void navigate({
      to: "/runs/$runId",
      params: { runId: run.id },
      search: { view: "timeline", span: findFailedSpan(store.spans(), failure.taskKey)?.id },
    });
  return (
    <Banner
      tone="err"
      icon={CircleX}
      title={
        <>
          {failure.taskKey ? `Failed in ${failure.taskKey}: ` : "Failed: "}
          {failure.message}
        </>
      }
      detail={failure.hint && <Hint failure={failure} hint={failure.hint} />}
      actions={
        <>
          <Button onClick={openFailedStep}>
            <ScanSearch aria-hidden />
            Open step
          </Button>
          {!run.external && (
            <Allowed scope="runs:write">
              <Button
                variant="primary"
                busy={resume.isPending}
                title="Continues after the last finished task"
                onClick={() => resume.mutate(undefined)}
              >
                <Play aria-hidden />
                Resume
              </Button>
            </Allowed>
          )}
        </>
      }
    >
      {resume.isError && <ErrorPanel error={resume.error} />}
    </Banner>
  );
}

function Hint({ failure, hint }: { failure: RunFailure; hint: string }) {
  return (
    <p>
      {hint}
      {isProviderFailure(failure) && (
        <>
          {" "}
          <Link to="/models" className="text-accent underline underline-offset-2">
            {failure.provider ? `Check ${failure.provider}` : "Check providers"}
          </Link>
        </>
      )}
    </p>
  );
}
