import type { QueryClient } from "@tanstack/react-query";

import { describeError } from "@/lib/api/problem";
import type { ChatAnswer, Message } from "@/lib/api/types";
import { runMessagesQuery } from "@/lib/queries/runs";

import { ask, leave, type Question } from "./send-chat-message";

/** A message on its way: sent from here, not yet (or never) in the server's list. */
export interface Turn {
  id: string;
  text: string;
  agent: string | null;
  sentAt: string;
  /** The server has it and is at the answer. */
  sent: boolean;
  /** The reply so far, as it streams in. */
  words: string;
  /** Why it was not sent. */
  error: string | null;
  /** The messages that the server had before. */
  known: ReadonlySet<string>;
}

/** What this tab alone knows of a message that the server has. */
export interface Note {
  /** A reply by the run's live state; the server keeps only replies of agents. */
  live?: { text: string; at: string };
  /** Why no reply came. */
  error?: string;
}

export interface TalkState {
  turns: readonly Turn[];
  notes: Readonly<Record<string, Note>>;
}

/** One run's conversation as this tab of the browser leads it; it outlives the view. */
export class Talk {
  private state: TalkState = { turns: [], notes: {} };
  private readonly listeners = new Set<() => void>();
  private made = 0;
  private asking = false;

  private readonly runId: string;
  private readonly queries: QueryClient;

  constructor(runId: string, queries: QueryClient) {
    this.runId = runId;
    this.queries = queries;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): TalkState => this.state;

  /** True while a reply is awaited; a further message to a run at work is then only left for it. */
  get isAsking(): boolean {
    return this.asking;
  }

  /** Sends; what goes wrong is told by the turn, which keeps the text. */
  async send(text: string, agent: string | null): Promise<void> {
    const turn = this.begin(text, agent);
    const question = { runId: this.runId, text, agent };
    try {
      await (this.asking ? leave(question) : this.ask(turn.id, question));
    } catch (error) {
      await this.failed(turn, error);
      return;
    }
    await this.refresh();
    this.discard(turn.id);
  }

  /** Forgets a message that was not sent; the answer is its text. */
  discard(id: string): string {
    const text = this.state.turns.find((turn) => turn.id === id)?.text ?? "";
    this.become({ turns: this.state.turns.filter((turn) => turn.id !== id) });
    return text;
  }

  private async ask(id: string, question: Question): Promise<void> {
    this.asking = true;
    try {
      this.note(
        await ask(question, {
          onSent: () => this.change(id, (turn) => ({ ...turn, sent: true })),
          onWords: (words) => this.heard(id, words),
        }),
      );
    } finally {
      this.asking = false;
    }
  }

  private begin(text: string, agent: string | null): Turn {
    this.made += 1;
    const sentAt = new Date().toISOString();
    const known = new Set(this.messages().map((message) => message.id));
    const turn = {
      id: `turn-${this.made}`,
      text,
      agent,
      sentAt,
      sent: false,
      words: "",
      error: null,
      known,
    };
    this.become({ turns: [...this.state.turns, turn] });
    return turn;
  }

  private heard(id: string, words: string): void {
    this.change(id, (turn) => ({ ...turn, words: turn.words + words }));
  }

  private note(answer: ChatAnswer): void {
    if (answer.answeredBy !== "live-state") return;
    const live = { text: answer.response, at: answer.timestamp };
    this.become({ notes: { ...this.state.notes, [answer.messageId]: { live } } });
  }

  /** The server may have the message though its answer never came: then it was sent, and says so. */
  private async failed(turn: Turn, error: unknown): Promise<void> {
    const words = describeError(error).detail || describeError(error).title;
    await this.refresh();
    const sent = this.messages().find((message) => isOf(turn, message));
    if (!sent) {
      this.change(turn.id, (one) => ({ ...one, error: words }));
      return;
    }
    this.discard(turn.id);
    this.become({ notes: { ...this.state.notes, [sent.id]: { error: words } } });
  }

  /** Looks at the server's list now, whoever else is looking. */
  private async refresh(): Promise<void> {
    const wanted = runMessagesQuery(this.runId);
    await this.queries.cancelQueries({ queryKey: wanted.queryKey });
    await this.queries.fetchQuery({ ...wanted, staleTime: 0, retry: false }).catch(() => undefined);
  }

  private messages(): readonly Message[] {
    return this.queries.getQueryData(runMessagesQuery(this.runId).queryKey) ?? [];
  }

  private change(id: string, how: (turn: Turn) => Turn): void {
    this.become({ turns: this.state.turns.map((turn) => (turn.id === id ? how(turn) : turn)) });
  }

  private become(next: Partial<TalkState>): void {
    this.state = { ...this.state, ...next };
    for (const tell of this.listeners) tell();
  }
}

/** True when the server's message is what this turn has sent. */
export function isOf(turn: Pick<Turn, "text" | "agent" | "known">, message: Message): boolean {
  return !turn.known.has(message.id) && message.text === turn.text && message.agent === turn.agent;
}

const talks = new WeakMap<QueryClient, Map<string, Talk>>();

/** The conversation with a run; the same as long as the page lives. */
export function talkOf(runId: string, queries: QueryClient): Talk {
  const here = talks.get(queries) ?? new Map<string, Talk>();
  talks.set(queries, here);
  const talk = here.get(runId) ?? new Talk(runId, queries);
  here.set(runId, talk);
  return talk;
}
