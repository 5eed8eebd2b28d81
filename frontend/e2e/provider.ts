/**
 * A scripted model provider served over HTTP by a separate process; the product calls it like a real one.
 * One process can serve several providers, which share nothing: starting a process takes longer than a short test.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const backend = fileURLToPath(new URL("../../backend", import.meta.url));

/** A reply (a text or `{kind: "Say", text: "…"}`), or a rule that selects the calls it applies to. */
export type Rule = Record<string, unknown> | string;

/** Returns a reply that is sent only after the test releases the gate. */
export function gateReply(gate: string, reply: Rule): Rule {
  // oxlint-disable-next-line unicorn/no-thenable -- a field of the provider's script; it is never awaited
  return { kind: "Hold", gate, then: reply };
}

export class Provider {
  readonly url: string;
  /** The process that ends with this provider; others end with the provider that they were started by. */
  private readonly process: ChildProcess | undefined;

  private constructor(url: string, process?: ChildProcess) {
    this.process = process;
    this.url = url;
  }

  static async start(...options: string[]): Promise<Provider> {
    const process = spawn(
      join(backend, ".venv/bin/python"),
      ["-m", "tests.support.scripted_provider", ...options],
      { cwd: backend, stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = (await once(createInterface({ input: process.stdout }), "line")) as [string];
    return new Provider((JSON.parse(line) as { url: string }).url, process);
  }

  /** Starts a provider with its own port, rules and requests in the process of this one. */
  async startAnother(): Promise<Provider> {
    return new Provider(((await this.send("POST", "/_control/start")) as { url: string }).url);
  }

  get baseUrl(): string {
    return `${this.url}/v1`;
  }

  /** Replaces the rules. Settings: `append`, `echo`, `delayMs`, `apiKey`, `models`. */
  async script(rules: Rule[], settings: Record<string, unknown> = {}): Promise<void> {
    await this.send("POST", "/_control/script", { rules, ...settings });
  }

  async releaseGate(gate: string): Promise<void> {
    await this.send("POST", "/_control/release", { gate });
  }

  async getState(): Promise<{ count: number; inFlight: number; disconnects: number }> {
    return (await this.send("GET", "/_control/requests?bodies=false")) as never;
  }

  /** Returns the payloads of all model calls received so far. */
  async getRequests(): Promise<{ messages: { role: string; content: unknown }[] }[]> {
    const state = (await this.send("GET", "/_control/requests")) as {
      requests: { payload: { messages: { role: string; content: unknown }[] } }[];
    };
    return state.requests.map(({ payload }) => payload);
  }

  /** Waits until the number of received model calls reaches `count`. */
  async waitForCalls(count: number): Promise<void> {
    await this.send("GET", `/_control/wait?requests=${count}&timeout=20`);
  }

  /** Closes the port and all connections. */
  async stop(): Promise<void> {
    if (this.process) this.process.kill("SIGTERM");
    else await this.send("POST", "/_control/stop");
  }

  private async send(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  }
}
