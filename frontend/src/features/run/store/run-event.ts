import type { RunEvent } from "@/lib/api/types";

export type EventOf<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

/** The time of an event in milliseconds. */
export function timeOf(event: { at?: string }): number {
  return event.at ? Date.parse(event.at) : 0;
}
