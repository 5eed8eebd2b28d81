import { SendHorizontal } from "lucide-react";
import { useId, useState, type KeyboardEvent } from "react";
import { useStore } from "zustand";

import { Button } from "@/components/ui/button";
import { Select, Textarea } from "@/components/ui/input";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import type { RunProps } from "../run-props";
import { useTextDraft } from "../store/text-drafts";

import type { ChatStore } from "./chat-store";
import { messageDestination } from "./message-destination";

const MAX_LENGTH = 20_000;

/** The form that sends a message. Unsent text is kept. */
export function ChatComposer({ run, store, chat }: RunProps & { chat: ChatStore }) {
  const [text, setText] = useTextDraft(`chat:${run.id}`);
  const [agent, setAgent] = useState("");
  const tasks = useStore(store.state, (state) => state.tasks);
  const isAwaitingReply = useStore(chat.state, (state) => state.isAwaitingReply);
  const id = useId();
  const isOver = hasEnded(run.status);
  const hasAgents = !isOver && run.projectId === null;
  const isBlocked = !hasAgents && isAwaitingReply;

  const send = () => {
    if (text.trim() === "" || isBlocked) return;
    void chat.send(text.trim(), hasAgents ? agent || null : null);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      className="grid gap-2 border-t bg-surface p-3"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="mx-auto grid w-full max-w-3xl gap-2">
        <div className="flex items-end gap-2">
          <label htmlFor={id} className="sr-only">
            Message to the run
          </label>
          <Textarea
            id={id}
            value={text}
            rows={1}
            maxLength={MAX_LENGTH}
            aria-describedby={`${id}-destination`}
            className="field-sizing-content max-h-48 min-h-10 flex-1 resize-none"
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
          />
          <Button
            type="submit"
            variant="primary"
            size="lg"
            disabled={text.trim() === "" || isBlocked}
          >
            <SendHorizontal aria-hidden />
            Send
          </Button>
        </div>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-soft">
          {hasAgents && <RecipientSelect run={run} agent={agent} onChange={setAgent} />}
          <p id={`${id}-destination`} className="min-w-0 flex-1 basis-56">
            {isBlocked
              ? "Wait for the reply before asking the next question."
              : messageDestination(run, [...tasks.values()], agent || null)}{" "}
            <span className="text-ink-faint max-sm:hidden">
              Enter sends, Shift+Enter adds a line.
            </span>
          </p>
        </div>
      </div>
    </form>
  );
}

function RecipientSelect({
  run,
  agent,
  onChange,
}: {
  run: Run;
  agent: string;
  onChange: (agent: string) => void;
}) {
  const id = useId();
  return (
    <div className="inline-flex items-center gap-1.5">
      <label htmlFor={id}>To</label>
      <Select
        id={id}
        value={agent}
        className="h-7 w-auto py-0 text-xs max-sm:h-10"
        onChange={(event) => onChange(event.target.value)}
      >
        <option value="">Any agent</option>
        {recipients(run).map((key) => (
          <option key={key} value={key}>
            {key}
          </option>
        ))}
      </Select>
    </div>
  );
}

/** The agents that a message can be sent to, with the manager of a hierarchical crew. */
function recipients({ definition }: Run): string[] {
  const keys = definition.agents.map(({ key }) => key);
  const hasManager = definition.process === "hierarchical" && !definition.managerAgent;
  return hasManager && !keys.includes("manager") ? [...keys, "manager"] : keys;
}
