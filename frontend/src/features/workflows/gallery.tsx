import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { FilePlus2, Upload, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Skeleton } from "@/components/ui/skeleton";
import type { Template } from "@/lib/api/types";
import { templatesQuery } from "@/lib/queries/workflows";

import { createWorkflow } from "./create-workflow";
import { TemplateCard } from "./template-card";
import { TemplatePreview } from "./template-preview";
import { useBlankWorkflow } from "./use-blank-workflow";

const GRID = "grid gap-3 sm:grid-cols-2 lg:grid-cols-3";

/** Templates to choose from, and the two ways to do without. */
export function Gallery({ chosen }: { chosen?: string }) {
  const navigate = useNavigate();
  const templates = useQuery(templatesQuery());
  const blank = useBlankWorkflow();
  const use = useMutation({
    mutationFn: ({ title, yaml }: Template) =>
      createWorkflow(yaml, `From the template “${title}”.`),
    onSuccess: ({ id }) => navigate({ to: "/workflows/$workflowId", params: { workflowId: id } }),
  });
  const error = blank.error ?? use.error;
  const busyWith = use.isPending ? use.variables.name : null;
  return (
    <>
      {error && <ErrorPanel error={error} />}
      <div className={GRID}>
        <Way icon={FilePlus2} title="Blank" busy={blank.isPending} onPick={() => blank.mutate()}>
          One agent, one task, explained by comments.
        </Way>
        <Link to="/workflows/new" search={{ import: true }} className={WAY}>
          <WayWords icon={Upload} title="Import">
            A document, a CrewAI project, or its two files.
          </WayWords>
        </Link>
      </div>
      <section aria-labelledby="templates" className="grid gap-3">
        <h2 id="templates" className="mt-2 font-semibold">
          Templates
        </h2>
        {templates.isError ? (
          <ErrorPanel error={templates.error} onRetry={() => templates.refetch()} />
        ) : (
          <ul className={GRID}>
            {templates.data?.map((template) => (
              <TemplateCard
                key={template.name}
                template={template}
                busy={busyWith === template.name}
                onUse={() => use.mutate(template)}
              />
            )) ?? <Waiting />}
          </ul>
        )}
      </section>
      <TemplatePreview
        name={chosen}
        templates={templates.data}
        busy={use.isPending}
        error={use.error}
        onUse={(template) => use.mutate(template)}
        onClose={() => void navigate({ to: "/workflows/new", search: {} })}
      />
    </>
  );
}

const WAY =
  "flex items-start gap-3 rounded-lg border bg-surface p-4 text-left hover:border-line-strong/60 hover:bg-hover/50 disabled:opacity-60";

interface WayProps {
  icon: LucideIcon;
  title: string;
  children: ReactNode;
}

function Way({ busy, onPick, ...words }: WayProps & { busy: boolean; onPick: () => void }) {
  return (
    <button
      type="button"
      disabled={busy}
      aria-busy={busy || undefined}
      onClick={onPick}
      className={WAY}
    >
      <WayWords {...words} />
    </button>
  );
}

function WayWords({ icon: Icon, title, children }: WayProps) {
  return (
    <>
      <span className="rounded-md bg-accent-soft p-2 text-accent">
        <Icon aria-hidden className="size-5" />
      </span>
      <span className="grid">
        <span className="font-semibold">{title}</span>
        <span className="text-ink-soft">{children}</span>
      </span>
    </>
  );
}

function Waiting() {
  return Array.from({ length: 4 }, (_, index) => (
    <li key={index}>
      <Skeleton className="h-48" />
    </li>
  ));
}
