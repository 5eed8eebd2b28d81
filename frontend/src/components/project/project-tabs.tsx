import { Link } from "@tanstack/react-router";

import { useCan } from "@/lib/rights";

const TABS = [
  { tab: "run", label: "Run" },
  { tab: "overview", label: "Overview" },
  { tab: "build", label: "Build log" },
  { tab: "models", label: "Models" },
  { tab: "secrets", label: "Environment" },
  { tab: "hosts", label: "Hosts" },
  { tab: "files", label: "Files" },
  { tab: "versions", label: "Versions" },
  { tab: "runs", label: "Runs" },
] as const;

export type ProjectTab = (typeof TABS)[number]["tab"];

const STYLES =
  "inline-flex h-10 shrink-0 items-center border-b-2 border-transparent px-2.5 font-medium whitespace-nowrap text-ink-soft hover:text-ink focus-visible:-outline-offset-2 aria-[current=page]:border-accent aria-[current=page]:text-ink max-sm:h-11";

function scrollToTab(link: HTMLAnchorElement | null): void {
  link?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Links to the tabs of a project; a narrow screen scrolls them. */
export function ProjectTabs({ projectId, tab }: { projectId: string; tab: ProjectTab }) {
  const params = { projectId };
  const canStart = useCan("runs:write");
  return (
    <nav aria-label="Project" className="flex shrink-0 gap-1 overflow-x-auto border-b">
      {TABS.filter(({ tab: value }) => canStart || value !== "run").map((one) => {
        const isCurrent = one.tab === tab;
        const props = {
          ref: isCurrent ? scrollToTab : undefined,
          "aria-current": isCurrent ? ("page" as const) : undefined,
          className: STYLES,
        };
        return one.tab === "run" ? (
          <Link key={one.tab} to="/projects/$projectId/run" params={params} {...props}>
            {one.label}
          </Link>
        ) : (
          <Link
            key={one.tab}
            to="/projects/$projectId"
            params={params}
            search={one.tab === "overview" ? {} : { tab: one.tab }}
            activeOptions={{ exact: true, includeSearch: true }}
            {...props}
          >
            {one.label}
          </Link>
        );
      })}
    </nav>
  );
}
