import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { FilePlus2, FolderCode, Upload, type LucideIcon } from "lucide-react";
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

/** The ways to create a workflow: blank, by import, or from a template. */
export function TemplateGallery({ previewedName }: { previewedName?: string }) {
  const navigate = useNavigate();
  const templates = useQuery(templatesQuery());
  const blank = useBlankWorkflow();
  const create = useMutation({
    mutationFn: ({ title, yaml }: Template) =>
      createWorkflow(yaml, `Created from the template “${title}”.`),
    onSuccess: ({ id }) => navigate({ to: "/workflows/$workflowId", params: { workflowId: id } }),
  });
  const error = blank.error ?? create.error;
  const pendingName = create.isPending ? create.variables.name : null;
  return (
    <>
      {error && <ErrorPanel error={error} />}
      <div className={GRID}>
        <CreateButton
          icon={FilePlus2}
          title="Blank"
          busy={blank.isPending}
          onSelect={() => blank.mutate()}
        >
          One agent and one task, with explanatory comments.
        </CreateButton>
        <Link to="/workflows/new" search={{ import: true }} className={OPTION}>
          <OptionContent icon={Upload} title="Import">
            A workflow document, a CrewAI project, or agents.yaml and tasks.yaml.
          </OptionContent>
        </Link>
        <Link to="/projects" className={OPTION}>
          <OptionContent icon={FolderCode} title="Bring your project">
            Run a CrewAI project as it is, with its Python code, own tools and flows.
          </OptionContent>
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
                busy={pendingName === template.name}
                onUse={() => create.mutate(template)}
              />
            )) ?? <TemplateSkeletons />}
          </ul>
        )}
      </section>
      <TemplatePreview
        name={previewedName}
        templates={templates.data}
        busy={create.isPending}
        error={create.error}
        onUse={(template) => create.mutate(template)}
        onClose={() => void navigate({ to: "/workflows/new", search: {} })}
      />
    </>
  );
}

const OPTION =
  "flex items-start gap-3 rounded-lg border bg-surface p-4 text-left hover:border-line-strong/60 hover:bg-hover/50 disabled:opacity-60";

interface OptionProps {
  icon: LucideIcon;
  title: string;
  children: ReactNode;
}

function CreateButton({
  busy,
  onSelect,
  ...content
}: OptionProps & { busy: boolean; onSelect: () => void }) {
  return (
    <button
      type="button"
      disabled={busy}
      aria-busy={busy || undefined}
      onClick={onSelect}
      className={OPTION}
    >
      <OptionContent {...content} />
    </button>
  );
}

function OptionContent({ icon: Icon, title, children }: OptionProps) {
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

function TemplateSkeletons() {
  return Array.from({ length: 4 }, (_, index) => (
    <li key={index}>
      <Skeleton className="h-48" />
    </li>
  ));
}
