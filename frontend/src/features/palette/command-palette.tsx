import { Command as Cmdk } from "cmdk";
import { LoaderCircle, Search } from "lucide-react";
import { Dialog } from "radix-ui";
import { useState } from "react";

import { useRestoreFocus } from "@/hooks/use-restore-focus";

import { PaletteGroup } from "./palette-group";
import { scoreCommand } from "./score-command";
import { useStaticCommands } from "./use-static-commands";
import { useCommandSearch } from "./use-command-search";

interface Props {
  onClose: () => void;
  onShowShortcuts: () => void;
}

/** Search for pages, workflows, projects, runs and actions. */
export function CommandPalette({ onClose, onShowShortcuts }: Props) {
  const restoreFocus = useRestoreFocus();
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Dialog.Content
          {...restoreFocus}
          aria-describedby={undefined}
          className="fixed top-[12dvh] left-1/2 z-40 w-[min(38rem,calc(100vw-1rem))] -translate-x-1/2 animate-appear overflow-hidden rounded-lg border bg-raised shadow-xl max-sm:top-2"
        >
          <Dialog.Title className="sr-only">Search or jump to</Dialog.Title>
          <CommandMenu onDone={onClose} onShowShortcuts={onShowShortcuts} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function CommandMenu({
  onDone,
  onShowShortcuts,
}: {
  onDone: () => void;
  onShowShortcuts: () => void;
}) {
  const [query, setQuery] = useState("");
  const { pages, actions } = useStaticCommands(onShowShortcuts);
  const results = useCommandSearch(query);
  return (
    <Cmdk label="Commands" loop filter={filterByName}>
      <div className="flex h-12 items-center gap-2.5 border-b px-4">
        {results.isSearching ? (
          <LoaderCircle aria-hidden className="size-4 animate-spin text-ink-faint" />
        ) : (
          <Search aria-hidden className="size-4 text-ink-faint" />
        )}
        <Cmdk.Input
          value={query}
          onValueChange={setQuery}
          placeholder="Search pages, workflows, projects, runs…"
          aria-label="Search pages, workflows, projects and runs"
          className="h-full min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-ink-faint"
        />
      </div>
      <Cmdk.List
        aria-label="Commands"
        className="max-h-[min(26rem,70dvh)] scroll-py-2 overflow-y-auto p-1.5"
      >
        <Cmdk.Empty className="px-4 py-8 text-center text-ink-soft">No results.</Cmdk.Empty>
        <PaletteGroup heading="Pages" commands={pages} onDone={onDone} />
        <PaletteGroup heading="Workflows" commands={results.workflows} onDone={onDone} />
        <PaletteGroup heading="Projects" commands={results.projects} onDone={onDone} />
        {query && (
          <PaletteGroup heading="Start a run" commands={results.launches} onDone={onDone} />
        )}
        <PaletteGroup heading="Recent runs" commands={results.runs} onDone={onDone} />
        <PaletteGroup heading="Actions" commands={actions} onDone={onDone} />
        <PaletteGroup heading="Search" commands={results.search} onDone={onDone} alwaysShown />
      </Cmdk.List>
    </Cmdk>
  );
}

/** cmdk's own filter ranks "Run Market research…" above Runs; the first keyword is the name. */
function filterByName(_value: string, query: string, keywords: string[] = []): number {
  return scoreCommand(keywords[0] ?? "", query, keywords.slice(1));
}
