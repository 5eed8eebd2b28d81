import { Link } from "@tanstack/react-router";

import { useCan } from "@/lib/rights";

const TABS = [
  { tab: undefined, label: "Edit" },
  { tab: "knowledge", label: "Knowledge" },
  { tab: "memory", label: "Memory" },
  { tab: "runs", label: "Runs" },
  { tab: "versions", label: "Versions" },
] as const;

export function PageTabs({ workflowId, tab }: { workflowId: string; tab?: string }) {
  const current = tab === "edit" ? undefined : tab;
  const canEdit = useCan("workflows:write");
  return (
    <nav aria-label="Workflow" className="flex gap-1 overflow-x-auto overflow-y-hidden">
      {TABS.map((one) => (
        <Link
          key={one.label}
          to="/workflows/$workflowId"
          params={{ workflowId }}
          search={one.tab ? { tab: one.tab } : {}}
          aria-current={one.tab === current ? "page" : undefined}
          className="-mb-px inline-flex h-10 items-center border-b-2 border-transparent px-2.5 font-medium text-ink-soft hover:text-ink focus-visible:-outline-offset-2 aria-[current=page]:border-accent aria-[current=page]:text-ink"
        >
          {one.tab || canEdit ? one.label : "Document"}
        </Link>
      ))}
    </nav>
  );
}
