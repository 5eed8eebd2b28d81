import { Link } from "@tanstack/react-router";

const TABS = [
  { tab: "overview", label: "Overview" },
  { tab: "versions", label: "Versions" },
  { tab: "build", label: "Build log" },
  { tab: "files", label: "Files" },
  { tab: "secrets", label: "Secrets" },
  { tab: "models", label: "Models" },
  { tab: "hosts", label: "Hosts" },
  { tab: "runs", label: "Runs" },
] as const;

export type ProjectTab = (typeof TABS)[number]["tab"];

/** Links to the tabs of a project; a narrow screen scrolls them. */
export function ProjectTabs({ projectId, tab }: { projectId: string; tab: ProjectTab }) {
  return (
    <nav aria-label="Project" className="flex shrink-0 gap-1 overflow-x-auto border-b">
      {TABS.map((one) => (
        <Link
          key={one.tab}
          to="/projects/$projectId"
          params={{ projectId }}
          search={one.tab === "overview" ? {} : { tab: one.tab }}
          activeOptions={{ exact: true, includeSearch: true }}
          aria-current={one.tab === tab ? "page" : undefined}
          className="inline-flex h-10 shrink-0 items-center border-b-2 border-transparent px-2.5 font-medium whitespace-nowrap text-ink-soft hover:text-ink focus-visible:-outline-offset-2 aria-[current=page]:border-accent aria-[current=page]:text-ink max-sm:h-11"
        >
          {one.label}
        </Link>
      ))}
    </nav>
  );
}
