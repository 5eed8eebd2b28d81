import type { RunEvent } from "@/lib/api/types";

export type EventOf<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

/** The time of an event in milliseconds. */
export function timeOf(event: { at?: string }): number {
  return event.at ? Date.parse(event.at) : 0;
}

/** How a failed step is shown: as stopped if its attempt ended first. */
export function failedStep(
  event: EventOf<"tool.failed"> | EventOf<"agent.failed"> | EventOf<"delegation.failed">,
): { state: "failed" | "stopped"; error: string } {
  const { cutOff, message } = event.data;
  return cutOff ? { state: "stopped", error: "" } : { state: "failed", error: message };
}
