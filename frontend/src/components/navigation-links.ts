import {
  Boxes,
  Cable,
  FolderCode,
  LayoutDashboard,
  ListTree,
  Settings,
  Webhook,
  Workflow,
  Wrench,
  type LucideIcon,
} from "lucide-react";

export interface NavigationLink {
  to:
    | "/"
    | "/workflows"
    | "/projects"
    | "/runs"
    | "/models"
    | "/tools"
    | "/tools/mcp"
    | "/triggers"
    | "/settings";
  label: string;
  /** The second key of its shortcut, after `g`. */
  letter: string;
  Icon: LucideIcon;
}

/** The pages in the sidebar, by group. */
export const NAVIGATION_GROUPS: { label: string; pages: NavigationLink[] }[] = [
  {
    label: "Build",
    pages: [
      { to: "/", label: "Dashboard", letter: "d", Icon: LayoutDashboard },
      { to: "/workflows", label: "Workflows", letter: "w", Icon: Workflow },
      { to: "/projects", label: "Projects", letter: "p", Icon: FolderCode },
      { to: "/runs", label: "Runs", letter: "r", Icon: ListTree },
      { to: "/triggers", label: "Triggers", letter: "h", Icon: Webhook },
    ],
  },
  {
    label: "Configure",
    pages: [
      { to: "/models", label: "Providers & models", letter: "m", Icon: Boxes },
      { to: "/tools", label: "Tools", letter: "t", Icon: Wrench },
    ],
  },
  {
    label: "Operate",
    pages: [{ to: "/settings", label: "Settings", letter: "s", Icon: Settings }],
  },
];

const SUBPAGES: NavigationLink[] = [
  { to: "/tools/mcp", label: "MCP servers", letter: "c", Icon: Cable },
];

/** The pages that have a shortcut: those in the sidebar, and pages that they link to. */
export const NAVIGATION_LINKS: NavigationLink[] = [
  ...NAVIGATION_GROUPS.flatMap((group) => group.pages),
  ...SUBPAGES,
];
