/** Checks of long documents, in a worker; made when the first is needed. */
// oxlint-disable-next-line import/default -- the build answers with the address of the worker
import workerUrl from "./check.worker.ts?worker&url";

import type { Checked } from "./check";
import type { CheckAnswer, CheckOrder } from "./check.worker";

interface PolicyMaker {
  createPolicy: (
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ) => { createScriptURL: (url: string) => string };
}

let worker: Worker | null = null;
let known: unknown;
let number = 0;
const waiting = new Map<number, (checked: Checked) => void>();

export function checkBeside(
  text: string,
  schema: Record<string, unknown> | undefined,
): Promise<Checked> {
  worker ??= started();
  number += 1;
  const order: CheckOrder = { id: number, text };
  if (schema !== known) order.schema = schema;
  known = schema;
  worker.postMessage(order, []);
  const { id } = order;
  return new Promise((resolve) => waiting.set(id, resolve));
}

function started(): Worker {
  const made = new Worker(trusted(workerUrl), { type: "module" });
  made.addEventListener("message", ({ data: { id, checked } }: MessageEvent<CheckAnswer>) => {
    waiting.get(id)?.(checked);
    waiting.delete(id);
  });
  return made;
}

/** The page's policy lets scripts be named only through a policy of ours: this is the one address. */
function trusted(url: string): string {
  const { trustedTypes } = window as { trustedTypes?: PolicyMaker };
  const policy = trustedTypes?.createPolicy("editor-checks", {
    createScriptURL: (asked) => (asked === url ? asked : ""),
  });
  return policy ? policy.createScriptURL(url) : url;
}
