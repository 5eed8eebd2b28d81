import {
  Boxes,
  LayoutDashboard,
  ListTree,
  Settings,
  Workflow,
  type LucideIcon,
} from "lucide-react";

export interface PageLink {
  to: "/" | "/workflows" | "/runs" | "/models" | "/settings";
  label: string;
  /** The letter that goes there after `g`. */
  letter: string;
  Icon: LucideIcon;
}

/** The pages that are always one step away, as the sidebar groups them. */
export const PAGE_GROUPS: { label: string; pages: PageLink[] }[] = [
  {
    label: "Build",
    pages: [
      { to: "/", label: "Dashboard", letter: "d", Icon: LayoutDashboard },
      { to: "/workflows", label: "Workflows", letter: "w", Icon: Workflow },
      { to: "/runs", label: "Runs", letter: "r", Icon: ListTree },
    ],
  },
  {
    label: "Configure",
    pages: [{ to: "/models", label: "Providers & models", letter: "m", Icon: Boxes }],
  },
  {
    label: "Operate",
    pages: [{ to: "/settings", label: "Settings", letter: "s", Icon: Settings }],
  },
];

export const PAGES: PageLink[] = PAGE_GROUPS.flatMap((group) => group.pages);
