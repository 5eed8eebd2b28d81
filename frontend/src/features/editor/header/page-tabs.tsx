import { Link } from "@tanstack/react-router";

const TABS = [
  { tab: undefined, label: "Edit" },
  { tab: "runs", label: "Runs" },
  { tab: "versions", label: "Versions" },
] as const;

export function PageTabs({ workflowId, tab }: { workflowId: string; tab?: string }) {
  const current = tab === "edit" ? undefined : tab;
  return (
    <nav aria-label="Workflow" className="flex gap-1">
      {TABS.map((one) => (
        <Link
          key={one.label}
          to="/workflows/$workflowId"
          params={{ workflowId }}
          search={one.tab ? { tab: one.tab } : {}}
          aria-current={one.tab === current ? "page" : undefined}
          className="-mb-px inline-flex h-10 items-center border-b-2 border-transparent px-2.5 font-medium text-ink-soft hover:text-ink focus-visible:-outline-offset-2 aria-[current=page]:border-accent aria-[current=page]:text-ink"
        >
          {one.label}
        </Link>
      ))}
    </nav>
  );
}
