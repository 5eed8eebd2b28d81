import type { QueryClient } from "@tanstack/react-query";
import { createStore } from "zustand";

import { describeError } from "@/lib/api/problem";
import type { ChatAnswer, Message } from "@/lib/api/types";
import { runMessagesQuery } from "@/lib/queries/runs";

import { queueMessage, sendChatMessage, type OutgoingMessage } from "./send-chat-message";

/** A message sent from this tab that is not yet in the server's list. */
export interface PendingMessage {
  id: string;
  text: string;
  agent: string | null;
  sentAt: string;
  /** The server has accepted the message and is generating the reply. */
  isAccepted: boolean;
  /** The reply received so far. */
  reply: string;
  /** Why sending failed. */
  error: string | null;
  /** Ids of the messages that existed before this one was sent. */
  knownIds: ReadonlySet<string>;
}

/** What only this tab knows about a message on the server. */
export interface MessageDetails {
  /**
   * A model's reply from the live state or the result, which the server does not store because an
   * agent may still answer.
   */
  liveReply?: { text: string; at: string; answeredBy: ChatAnswer["answeredBy"] };
  /** Why there is no reply. */
  error?: string;
}

export interface ChatState {
  pending: readonly PendingMessage[];
  /** By message id. */
  details: Readonly<Record<string, MessageDetails>>;
  /** While true, further messages are queued for the agents without waiting for a reply. */
  isAwaitingReply: boolean;
}

/**
 * Sends messages to one run and keeps the state of those on their way, also while the tab is not
 * shown.
 */
export class ChatStore {
  readonly state = createStore<ChatState>(() => ({
    pending: [],
    details: {},
    isAwaitingReply: false,
  }));
  private readonly runId: string;
  private readonly queryClient: QueryClient;
  private sentMessages = 0;

  constructor(runId: string, queryClient: QueryClient) {
    this.runId = runId;
    this.queryClient = queryClient;
  }

  /** Sends a message. Errors are kept with the pending message. */
  async send(text: string, agent: string | null): Promise<void> {
    const message = this.addPending(text, agent);
    const outgoing = { runId: this.runId, text, agent };
    try {
      if (this.state.getState().isAwaitingReply) await queueMessage(outgoing);
      else await this.sendAndAwaitReply(message.id, outgoing);
    } catch (error) {
      await this.onError(message, error);
      return;
    }
    await this.refetchMessages();
    this.discard(message.id);
  }

  /** Removes a pending message. */
  discard(id: string): void {
    this.state.setState(({ pending }) => ({
      pending: pending.filter((message) => message.id !== id),
    }));
  }

  private async sendAndAwaitReply(id: string, outgoing: OutgoingMessage): Promise<void> {
    this.state.setState({ isAwaitingReply: true });
    try {
      const answer = await sendChatMessage(outgoing, {
        onAccepted: () => this.updatePending(id, () => ({ isAccepted: true })),
        onChunk: (chunk, replaces) =>
          this.updatePending(id, ({ reply }) => ({ reply: replaces ? chunk : reply + chunk })),
      });
      if (answer.delivery.status !== "answered") {
        const { response: text, timestamp: at, answeredBy } = answer;
        const liveReply = { text, at, answeredBy };
        this.setDetails(answer.messageId, { liveReply });
      }
    } finally {
      this.state.setState({ isAwaitingReply: false });
    }
  }

  private addPending(text: string, agent: string | null): PendingMessage {
    this.sentMessages += 1;
    const message = {
      id: `pending-${this.sentMessages}`,
      text,
      agent,
      sentAt: new Date().toISOString(),
      isAccepted: false,
      reply: "",
      error: null,
      knownIds: new Set(this.serverMessages().map(({ id }) => id)),
    };
    this.state.setState(({ pending }) => ({ pending: [...pending, message] }));
    return message;
  }

  /**
   * The server may have stored the message although no reply arrived: then the error belongs to the
   * reply.
   */
  private async onError(message: PendingMessage, error: unknown): Promise<void> {
    const { title, detail } = describeError(error);
    await this.refetchMessages();
    const stored = this.serverMessages().find((candidate) => isSameMessage(message, candidate));
    if (!stored) {
      this.updatePending(message.id, () => ({ error: detail || title }));
      return;
    }
    this.discard(message.id);
    this.setDetails(stored.id, { error: detail || title });
  }

  private async refetchMessages(): Promise<void> {
    const query = runMessagesQuery(this.runId);
    await this.queryClient.cancelQueries({ queryKey: query.queryKey });
    await this.queryClient
      .fetchQuery({ ...query, staleTime: 0, retry: false })
      .catch(() => undefined);
  }

  private serverMessages(): readonly Message[] {
    return this.queryClient.getQueryData(runMessagesQuery(this.runId).queryKey) ?? [];
  }

  private updatePending(
    id: string,
    change: (message: PendingMessage) => Partial<PendingMessage>,
  ): void {
    this.state.setState(({ pending }) => ({
      pending: pending.map((message) =>
        message.id === id ? { ...message, ...change(message) } : message,
      ),
    }));
  }

  private setDetails(messageId: string, details: MessageDetails): void {
    this.state.setState((state) => ({ details: { ...state.details, [messageId]: details } }));
  }
}

/** True if the server's message is the stored form of the pending one. */
export function isSameMessage(
  { text, agent, knownIds }: Pick<PendingMessage, "text" | "agent" | "knownIds">,
  stored: Message,
): boolean {
  return !knownIds.has(stored.id) && stored.text === text && stored.agent === agent;
}

const stores = new WeakMap<QueryClient, Map<string, ChatStore>>();

/** Returns the chat store of a run; it lives as long as the page. */
export function getChatStore(runId: string, queryClient: QueryClient): ChatStore {
  const byRun = stores.get(queryClient) ?? new Map<string, ChatStore>();
  stores.set(queryClient, byRun);
  const store = byRun.get(runId) ?? new ChatStore(runId, queryClient);
  byRun.set(runId, store);
  return store;
}
