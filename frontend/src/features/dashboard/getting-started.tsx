import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, Play } from "lucide-react";
import { lazy, Suspense, type ReactNode } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { useDemo } from "@/hooks/use-demo";
import { modelsQuery } from "@/lib/queries/models";

// Loaded after the steps, to keep the download of other pages small.
const ProjectDropZone = lazy(async () => ({
  default: (await import("@/components/project/project-drop-zone")).ProjectDropZone,
}));

/** Shown before the first run: three independent steps. */
export function GettingStarted() {
  const demo = useDemo();
  const models = useQuery(modelsQuery());
  const connected = models.data?.some((model) => model.providerType !== "local") ?? false;
  const isDemoUnavailable = demo.availability?.available === false;
  return (
    <div className="mx-auto grid w-full max-w-2xl gap-3">
      <Card title="Three steps to your first crew">
        <ol className="divide-y">
          <Step
            number={1}
            title="Run the demo"
            action={
              <Allowed scope="workflows:write">
                <DemoButton demo={demo} />
              </Allowed>
            }
          >
            <DemoDescription demo={demo} />
          </Step>
          <Step
            number={2}
            title="Connect a provider"
            action={
              connected ? (
                <Badge tone="ok">
                  <Check aria-hidden />
                  Connected
                </Badge>
              ) : (
                <Allowed scope="providers:write">
                  <Button asChild variant={isDemoUnavailable ? "primary" : "outline"}>
                    <Link to="/models" search={{ provider: "new" }}>
                      Connect a provider
                    </Link>
                  </Button>
                </Allowed>
              )
            }
          >
            OpenAI, Anthropic, Ollama or any compatible API. The API key is stored encrypted on this
            server.
          </Step>
          <Step
            number={3}
            title="Create a workflow"
            action={
              <Allowed scope="workflows:write">
                <Button asChild>
                  <Link to="/workflows/new">Browse templates</Link>
                </Button>
              </Allowed>
            }
          >
            Start from a template or from scratch: define agents, tasks and inputs.
          </Step>
        </ol>
      </Card>
      <Allowed scope="code:write">
        <Card title="Bring your project">
          <div className="grid gap-3 p-4">
            <p className="text-ink-soft">
              A CrewAI project runs here as it is: crews, flows, own tools and scripts.
            </p>
            <Suspense fallback={<Skeleton className="h-40" />}>
              <ProjectDropZone />
            </Suspense>
          </div>
        </Card>
      </Allowed>
      <p className="text-center text-xs text-ink-faint">
        The steps are independent. After the first run, this page shows your runs and their cost.
      </p>
    </div>
  );
}

type Demo = ReturnType<typeof useDemo>;

function DemoButton({ demo: { start, availability } }: { demo: Demo }) {
  if (availability && !availability.available) return null;
  return (
    <Button
      variant="primary"
      disabled={!availability}
      busy={start.isPending || start.isSuccess}
      onClick={() => start.mutate()}
    >
      {!start.isPending && !start.isSuccess && <Play aria-hidden />}
      Run the demo
    </Button>
  );
}

function DemoDescription({ demo: { start, availability, error } }: { demo: Demo }) {
  return (
    <>
      {availability?.available === false ? (
        <>
          The built-in model for the demo is not available: {availability.message} Connect a
          provider to run a workflow.
        </>
      ) : (
        <>
          Two agents turn a few news items into a brief, using a small model on this server: no API
          key, no cost, a few seconds. It shows how a run works; expect mistakes in the text.
        </>
      )}
      {!availability && !error && <Skeleton className="mt-1 h-4 w-40" />}
      {(start.error ?? error) && <ErrorPanel error={start.error ?? error} className="mt-2" />}
    </>
  );
}

function Step({
  number,
  title,
  action,
  children,
}: {
  number: number;
  title: string;
  action: ReactNode;
  children: ReactNode;
}) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-3 p-4">
      <span
        aria-hidden
        className="grid size-7 shrink-0 place-items-center self-start rounded-full bg-accent-soft font-semibold text-accent"
      >
        {number}
      </span>
      <div className="min-w-0 flex-1 basis-60">
        <h3 className="font-medium">{title}</h3>
        <div className="text-ink-soft">{children}</div>
      </div>
      <div className="max-sm:w-full max-sm:pl-11">{action}</div>
    </li>
  );
}
