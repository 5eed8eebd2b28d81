import { SendHorizontal } from "lucide-react";
import { useId, useState, useSyncExternalStore, type KeyboardEvent } from "react";

import { Button } from "@/components/ui/button";
import { Select, Textarea } from "@/components/ui/input";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { useRunStore } from "../store/use-span";

import { destination } from "./message-destination";
import type { Talk } from "./chat-store";
import { useDraft } from "../store/text-drafts";
import type { TabProps } from "../tab-props";

const LONGEST = 20_000;

/** Where a message is written; what is begun here is kept until it is sent. */
export function ChatComposer({ run, store, talk }: TabProps & { talk: Talk }) {
  const [text, setText] = useDraft(`chat:${run.id}`);
  const [agent, setAgent] = useState("");
  const tasks = useRunStore(store, (now) => now.tasks);
  const busy = useSyncExternalStore(talk.subscribe, () => talk.isAsking);
  const id = useId();
  const over = hasEnded(run.status);
  const blocked = over && busy;

  const send = () => {
    if (text.trim() === "" || blocked) return;
    void talk.send(text.trim(), over ? null : agent || null);
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
            maxLength={LONGEST}
            aria-describedby={`${id}-where`}
            className="field-sizing-content max-h-48 min-h-10 flex-1 resize-none"
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
          />
          <Button
            type="submit"
            variant="primary"
            size="lg"
            disabled={text.trim() === "" || blocked}
          >
            <SendHorizontal aria-hidden />
            Send
          </Button>
        </div>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-soft">
          {!over && <Addressee run={run} agent={agent} onChange={setAgent} />}
          <p id={`${id}-where`} className="min-w-0 flex-1 basis-56">
            {blocked
              ? "The answer is being written; the next question can follow it."
              : destination(run, [...tasks.values()], agent || null)}{" "}
            <span className="text-ink-faint max-sm:hidden">
              Enter sends, Shift+Enter starts a new line.
            </span>
          </p>
        </div>
      </div>
    </form>
  );
}

function Addressee({
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
        <option value="">whoever is at work</option>
        {run.definition.agents.map(({ key }) => (
          <option key={key} value={key}>
            {key}
          </option>
        ))}
      </Select>
    </div>
  );
}
