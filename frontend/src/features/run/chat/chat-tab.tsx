import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowDown, MessagesSquare } from "lucide-react";
import { useSyncExternalStore } from "react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";
import { runMessagesQuery } from "@/lib/queries/runs";
import { hasEnded } from "@/lib/run-state";

import { ChatComposer } from "./chat-composer";
import { ChatLine } from "./chat-entry-item";
import { linesOf, type Line } from "./chat-entries";
import { talkOf, type Talk } from "./chat-store";
import { setDraft } from "../store/text-drafts";
import type { TabProps } from "../tab-props";
import { useAutoscroll } from "./use-autoscroll";

/** Talking with the run: steering it while it works, asking about its result later. */
export function ChatTab({ run, store }: TabProps) {
  const talk = talkOf(run.id, useQueryClient());
  const state = useSyncExternalStore(talk.subscribe, talk.snapshot);
  const messages = useQuery(runMessagesQuery(run.id));
  const lines = linesOf(messages.data ?? [], state, run);
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
      {!messages.isPending && <Lines lines={lines} talk={talk} run={run} />}
      <ChatComposer run={run} store={store} talk={talk} />
    </div>
  );
}

function Lines({ lines, talk, run }: { lines: Line[]; talk: Talk; run: Run }) {
  const { box, content, onScroll, away, toEnd } = useAutoscroll();
  const edit = (line: Line) => {
    if (line.unsent) setDraft(`chat:${run.id}`, talk.discard(line.unsent));
  };
  const sendAgain = (line: Line) => {
    if (line.unsent) talk.discard(line.unsent);
    void talk.send(line.text, line.agent);
  };
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={box}
        onScroll={onScroll}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls must take focus
        tabIndex={0}
        role="group"
        aria-label="Messages"
        className="h-full overflow-y-auto focus-visible:-outline-offset-2"
      >
        {lines.length === 0 && <Silence over={hasEnded(run.status)} />}
        <ol ref={content} className="mx-auto grid max-w-3xl gap-5 p-4 empty:hidden">
          {lines.map((line) => (
            <ChatLine
              key={line.key}
              line={line}
              onEdit={() => edit(line)}
              onSendAgain={() => sendAgain(line)}
            />
          ))}
        </ol>
      </div>
      {away && (
        <Button
          size="sm"
          className="absolute bottom-2 left-1/2 -translate-x-1/2 bg-raised shadow-lg"
          onClick={toEnd}
        >
          <ArrowDown aria-hidden />
          To the newest
        </Button>
      )}
      <Announcement lines={lines} />
    </div>
  );
}

/** Tells who cannot see the page that an answer is there; not its words as they stream. */
function Announcement({ lines }: { lines: Line[] }) {
  const last = lines.at(-1)?.replies.at(-1);
  return (
    <p role="status" className="sr-only">
      {last && !last.streaming ? `${last.from} answered.` : ""}
    </p>
  );
}

function Silence({ over }: { over: boolean }) {
  if (over) {
    return (
      <EmptyState icon={MessagesSquare} title="Ask about the result">
        A model answers from what this run brought: its outputs, its inputs, and what went wrong.
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={MessagesSquare} title="Talk to the crew while it works">
      Your message goes into an agent&apos;s next model call. You see when it was delivered, and
      what the agent answered.
    </EmptyState>
  );
}
