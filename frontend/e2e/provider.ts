/** A scripted model provider over HTTP in a process of its own; nothing in the product is replaced. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const backend = fileURLToPath(new URL("../../backend", import.meta.url));

/** A reply (a text, or `{kind: "Say", text: "…"}`) or a rule that says which calls it is for. */
export type Rule = Record<string, unknown> | string;

/** A reply that waits until the test opens the gate. */
export function hold(gate: string, reply: Rule): Rule {
  // oxlint-disable-next-line unicorn/no-thenable -- the provider's word; nobody awaits it
  return { kind: "Hold", gate, then: reply };
}

export class Provider {
  readonly url: string;
  private readonly process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
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
    return new Provider(process, (JSON.parse(line) as { url: string }).url);
  }

  get baseUrl(): string {
    return `${this.url}/v1`;
  }

  /** Replaces the rules; settings: `append`, `echo`, `delayMs`, `apiKey`, `models`. */
  async script(rules: Rule[], settings: Record<string, unknown> = {}): Promise<void> {
    await this.send("POST", "/_control/script", { rules, ...settings });
  }

  async release(gate: string): Promise<void> {
    await this.send("POST", "/_control/release", { gate });
  }

  async state(): Promise<{ count: number; inFlight: number; disconnects: number }> {
    return (await this.send("GET", "/_control/requests?bodies=false")) as never;
  }

  /** What was sent with each model call so far, as the provider saw it. */
  async requests(): Promise<{ messages: { role: string; content: unknown }[] }[]> {
    const state = (await this.send("GET", "/_control/requests")) as {
      requests: { payload: { messages: { role: string; content: unknown }[] } }[];
    };
    return state.requests.map(({ payload }) => payload);
  }

  /** Returns when so many model calls have arrived. */
  async calls(count: number): Promise<void> {
    await this.send("GET", `/_control/wait?requests=${count}&timeout=20`);
  }

  stop(): void {
    this.process.kill("SIGTERM");
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
