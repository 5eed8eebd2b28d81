import { Link } from "@tanstack/react-router";

const TABS = [
  { to: "/tools", label: "Catalog and connections" },
  { to: "/tools/mcp", label: "MCP servers" },
] as const;

/** Links between the pages of tools. */
export function ToolTabs() {
  return (
    <nav aria-label="Tools" className="flex shrink-0 gap-1 overflow-x-auto border-b">
      {TABS.map(({ to, label }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: true, includeSearch: false }}
          className="inline-flex h-10 shrink-0 items-center border-b-2 border-transparent px-2.5 font-medium whitespace-nowrap text-ink-soft hover:text-ink focus-visible:-outline-offset-2 aria-[current=page]:border-accent aria-[current=page]:text-ink max-sm:h-11"
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
