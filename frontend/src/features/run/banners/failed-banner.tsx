import { Link, useNavigate } from "@tanstack/react-router";
import { CircleX, Play, ScanSearch } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import type { Run, RunFailure } from "@/lib/api/types";

import type { RunStore } from "../store/run-store";

import { BannerBox } from "./banner";
import { deepestFailure, isOfProvider } from "./find-failed-span";
import { useResume } from "./use-inline-resume";

/** What went wrong, where, and the ways on. */
export function FailedBanner({
  run,
  store,
  failure,
}: {
  run: Run;
  store: RunStore;
  failure: RunFailure;
}) {
  const navigate = useNavigate();
  const resume = useResume(run);
  const openStep = () =>
    void navigate({
      to: "/runs/$runId",
      params: { runId: run.id },
      search: { view: "timeline", span: deepestFailure(store.spans())?.id },
    });
  return (
    <BannerBox
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
          <Button onClick={openStep}>
            <ScanSearch aria-hidden />
            Open
          </Button>
          <Button
            variant="primary"
            busy={resume.isPending}
            title="Goes on after the last finished task"
            onClick={() => resume.mutate(undefined)}
          >
            <Play aria-hidden />
            Resume
          </Button>
        </>
      }
    >
      {resume.isError && <ErrorPanel error={resume.error} />}
    </BannerBox>
  );
}

/** What to do about it; a provider that is at fault is one click away. */
function Hint({ failure, hint }: { failure: RunFailure; hint: string }) {
  return (
    <p>
      {hint}
      {isOfProvider(failure) && (
        <>
          {" "}
          <Link to="/models" className="text-accent underline underline-offset-2">
            {failure.provider ? `Look at ${failure.provider}` : "Look at the providers"}
          </Link>
        </>
      )}
    </p>
  );
}
