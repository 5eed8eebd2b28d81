import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowDown, MessagesSquare } from "lucide-react";
import { useStore } from "zustand";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";
import { runMessagesQuery } from "@/lib/queries/runs";
import { useCan } from "@/lib/rights";
import { hasEnded } from "@/lib/run-state";

import type { RunProps } from "../run-props";
import { setTextDraft } from "../store/text-drafts";

import { ChatComposer } from "./chat-composer";
import { buildChatEntries, type ChatEntry } from "./chat-entries";
import { ChatEntryItem } from "./chat-entry-item";
import { getChatStore, type ChatStore } from "./chat-store";
import { useAutoscroll } from "./use-autoscroll";

/** Messages to the agents of an active run, and questions about the result of an ended one. */
export function ChatTab({ run, store }: RunProps) {
  const chat = getChatStore(run.id, useQueryClient());
  const state = useStore(chat.state);
  const messages = useQuery(runMessagesQuery(run.id));
  const entries = buildChatEntries(messages.data ?? [], state, run);
  return (
    <div className="flex h-full min-h-96 flex-col">
      {messages.isPending && <SkeletonRows rows={3} className="flex-1" />}
      {messages.isError && (
        <ErrorPanel
          error={messages.error}
          onRetry={() => void messages.refetch()}
          className="m-4"
        />
      )}
      {!messages.isPending && <ChatEntryList entries={entries} chat={chat} run={run} />}
      <Allowed scope="runs:write">
        <ChatComposer run={run} store={store} chat={chat} />
      </Allowed>
    </div>
  );
}

interface ListProps {
  entries: ChatEntry[];
  chat: ChatStore;
  run: Run;
}

function ChatEntryList({ entries, chat, run }: ListProps) {
  const { container, content, onScroll, isScrolledAway, scrollToEnd } = useAutoscroll();
  const edit = ({ text, unsentId }: ChatEntry) => {
    if (!unsentId) return;
    chat.discard(unsentId);
    setTextDraft(`chat:${run.id}`, text);
  };
  const retry = ({ text, agent, unsentId }: ChatEntry) => {
    if (unsentId) chat.discard(unsentId);
    void chat.send(text, agent);
  };
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={container}
        onScroll={onScroll}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
        tabIndex={0}
        role="group"
        aria-label="Messages"
        className="h-full overflow-y-auto focus-visible:-outline-offset-2"
      >
        {entries.length === 0 && <NoMessages isOver={hasEnded(run.status)} />}
        <ol ref={content} className="mx-auto grid max-w-3xl gap-5 p-4 empty:hidden">
          {entries.map((entry) => (
            <ChatEntryItem
              key={entry.key}
              entry={entry}
              onEdit={() => edit(entry)}
              onRetry={() => retry(entry)}
            />
          ))}
        </ol>
      </div>
      {isScrolledAway && (
        <Button
          size="sm"
          className="absolute bottom-2 left-1/2 -translate-x-1/2 bg-raised shadow-lg"
          onClick={scrollToEnd}
        >
          <ArrowDown aria-hidden />
          Scroll to latest
        </Button>
      )}
      <ReplyAnnouncement entries={entries} />
    </div>
  );
}

/** Tells screen readers that a reply has arrived, without reading it while it streams. */
function ReplyAnnouncement({ entries }: { entries: ChatEntry[] }) {
  const reply = entries.at(-1)?.replies.at(-1);
  return (
    <p role="status" className="sr-only">
      {reply && !reply.isStreaming ? `${reply.from} replied.` : ""}
    </p>
  );
}

function NoMessages({ isOver }: { isOver: boolean }) {
  if (!useCan("runs:write")) return <EmptyState icon={MessagesSquare} title="No messages" />;
  if (isOver) {
    return (
      <EmptyState icon={MessagesSquare} title="Ask about the result">
        A model answers from the inputs, outputs and errors of this run.
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={MessagesSquare} title="Send a message to the running crew">
      Your message is added to an agent&apos;s next model call. You see when it was delivered and
      what the agent answered.
    </EmptyState>
  );
}
