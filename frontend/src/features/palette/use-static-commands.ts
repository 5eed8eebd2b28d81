import { useNavigate } from "@tanstack/react-router";
import { FolderUp, Keyboard, LogOut, Plus, type LucideIcon } from "lucide-react";

import { NAVIGATION_LINKS } from "@/components/navigation-links";
import { THEME_CHOICES } from "@/components/theme-choices";
import { signOut } from "@/lib/api/client";
import { setPreference } from "@/lib/preferences";
import { useCan } from "@/lib/rights";

export interface Command {
  /** Unique. */
  id: string;
  name: string;
  /** Further search terms. */
  keywords?: string[];
  Icon: LucideIcon;
  /** Its keyboard shortcut. */
  keys?: string;
  run: () => void;
}

/** Returns the commands that do not depend on saved data. */
export function useStaticCommands(showShortcuts: () => void): {
  pages: Command[];
  actions: Command[];
} {
  const navigate = useNavigate();
  const canWrite = useCan("workflows:write");
  const canUpload = useCan("code:write");
  const pages = NAVIGATION_LINKS.map(({ to, label, letter, Icon }) => ({
    id: `page:${to}`,
    name: label,
    keywords: ["go to"],
    Icon,
    keys: `g ${letter}`,
    run: () => void navigate({ to }),
  }));
  const allowed = actions(navigate, showShortcuts).filter(
    ({ id }) =>
      (canWrite || id !== "action:new-workflow") && (canUpload || id !== "action:upload-project"),
  );
  return { pages, actions: [...allowed, ...themes()] };
}

function actions(navigate: ReturnType<typeof useNavigate>, showShortcuts: () => void): Command[] {
  return [
    {
      id: "action:new-workflow",
      name: "New workflow",
      keywords: ["create", "template", "add"],
      Icon: Plus,
      keys: "c",
      run: () => void navigate({ to: "/workflows/new" }),
    },
    {
      id: "action:upload-project",
      name: "Upload a project",
      keywords: ["bring", "deploy", "code", "zip", "folder", "add", "new project"],
      Icon: FolderUp,
      run: () => void navigate({ to: "/projects" }),
    },
    {
      id: "action:shortcuts",
      name: "Keyboard shortcuts",
      keywords: ["keys", "help"],
      Icon: Keyboard,
      keys: "?",
      run: showShortcuts,
    },
    {
      id: "action:sign-out",
      name: "Sign out",
      keywords: ["log out", "leave"],
      Icon: LogOut,
      run: signOut,
    },
  ];
}

function themes(): Command[] {
  return THEME_CHOICES.map(({ value, label, Icon }) => ({
    id: `theme:${value}`,
    name: `Theme: ${label.toLowerCase()}`,
    keywords: [`${label} mode`, "appearance", "colours"],
    Icon,
    run: () => setPreference("theme", value),
  }));
}
