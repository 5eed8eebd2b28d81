import { PanelLeftClose, PanelLeftOpen } from "lucide-react";

import { IconButton } from "@/components/ui/icon-button";
import { cn } from "@/lib/cn";
import { usePreference } from "@/lib/preferences";

import { Brand } from "./brand";
import { Navigation } from "./navigation";

/** Navigation on wide screens; can be collapsed to icons. */
export function Sidebar() {
  const [open, setOpen] = usePreference("sidebarOpen");
  return (
    <nav
      aria-label="Main"
      className={cn("hidden shrink-0 flex-col border-r bg-surface lg:flex", open ? "w-56" : "w-14")}
    >
      <div className={cn("flex h-14 shrink-0 items-center px-2.5", !open && "justify-center px-0")}>
        <Brand rail={!open} />
      </div>
      <Navigation rail={!open} />
      <div className={cn("flex border-t p-2", !open && "justify-center")}>
        <IconButton
          label={open ? "Collapse sidebar" : "Expand sidebar"}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? <PanelLeftClose aria-hidden /> : <PanelLeftOpen aria-hidden />}
        </IconButton>
      </div>
    </nav>
  );
}
