import { Menu, Search } from "lucide-react";

import { lazyComponent } from "@/components/lazy-component";
import { IconButton } from "@/components/ui/icon-button";
import { Kbd } from "@/components/ui/kbd";

import { AccountMenu } from "./account-menu";
import type { Overlay } from "./overlay";
import { ThemeSwitch } from "./theme-switch";

const AttentionButton = lazyComponent(
  async () => (await import("@/features/attention/attention-button")).AttentionButton,
);
const MODIFIER_KEY = /mac|iphone|ipad/i.test(navigator.userAgent) ? "⌘" : "Ctrl";

/** Search, attention list, theme and account, on every page. */
export function TopBar({ onOpen }: { onOpen: (overlay: Overlay) => void }) {
  return (
    <header className="flex h-14 shrink-0 items-center gap-1 border-b bg-surface px-2 sm:px-4">
      <IconButton
        label="Open menu"
        aria-haspopup="dialog"
        className="lg:hidden"
        onClick={() => onOpen("drawer")}
      >
        <Menu aria-hidden />
      </IconButton>
      <button
        type="button"
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K Meta+K"
        onClick={() => onOpen("palette")}
        className="flex h-8 min-w-0 flex-1 items-center gap-2 rounded-md border bg-sunken px-2.5 text-left text-ink-faint hover:border-line-strong hover:text-ink-soft max-sm:h-10 sm:max-w-80"
      >
        <Search aria-hidden className="size-4 shrink-0" />
        <span className="flex-1 truncate">Search or jump to…</span>
        <span aria-hidden className="flex gap-0.5 max-sm:hidden">
          <Kbd>{MODIFIER_KEY}</Kbd>
          <Kbd>K</Kbd>
        </span>
      </button>
      <div className="ml-auto flex items-center gap-0.5">
        <span className="size-8 max-sm:size-10">
          <AttentionButton />
        </span>
        <ThemeSwitch />
        <AccountMenu onShowShortcuts={() => onOpen("shortcuts")} />
      </div>
    </header>
  );
}
