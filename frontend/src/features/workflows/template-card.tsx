import { Link } from "@tanstack/react-router";

import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import type { Template } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

interface Props {
  template: Template;
  busy: boolean;
  onUse: () => void;
}

/** A template in the gallery. */
export function TemplateCard({ template, busy, onUse }: Props) {
  return (
    <li className="flex flex-col gap-2 rounded-lg border bg-surface p-4">
      <h3 className="font-semibold">{template.title}</h3>
      <p className="line-clamp-3 text-ink-soft">{template.description}</p>
      <TemplateFacts template={template} />
      <div className="mt-auto flex items-center gap-2 pt-2">
        <Button busy={busy} onClick={onUse}>
          Use template
          <span className="sr-only"> {template.title}</span>
        </Button>
        <Button asChild variant="ghost">
          <Link to="/workflows/new" search={{ template: template.name }} resetScroll={false}>
            Preview
            <span className="sr-only"> {template.title}</span>
          </Link>
        </Button>
      </div>
    </li>
  );
}

/** The size, tags and requirements of a template. */
export function TemplateFacts({ template }: { template: Template }) {
  return (
    <>
      <p className="text-xs text-ink-faint">
        {pluralize(template.agents, "agent")} · {pluralize(template.tasks, "task")}
        {template.tags.length > 0 && ` · ${template.tags.join(", ")}`}
      </p>
      {template.runsOnLocalModel ? (
        <Badge tone="ok" className="self-start justify-self-start">
          Runs on the local model
        </Badge>
      ) : (
        <p className="text-xs text-ink-soft">
          <span className="font-medium">Needs:</span> {template.needs}
        </p>
      )}
    </>
  );
}
