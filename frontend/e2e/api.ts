/** The product's API for preparing what a journey needs, as curl would use it. */
import { API_KEY } from "../playwright.config";

export class Api {
  private readonly base: string;
  private readonly key: string;

  constructor(base: string, key: string = API_KEY) {
    this.base = base;
    this.key = key;
  }

  async call<T = Record<string, never>>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.key}`, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : {}) as T;
  }

  /** Registers a scripted provider and one model of it; the answer is the model's name. */
  async model(providerUrl: string): Promise<string> {
    const name = unique("model");
    const { provider } = await this.call<{ provider: { id: string } }>(
      "POST",
      "/api/v1/providers",
      {
        provider: {
          name: unique("provider"),
          type: "openai_compatible",
          apiKey: "sk-e2e",
          baseUrl: providerUrl,
        },
      },
    );
    await this.call("POST", "/api/v1/models", {
      model: { name, type: "llm", providerId: provider.id, endpoint: name },
    });
    return name;
  }

  async workflow(yaml: string): Promise<string> {
    const { workflow } = await this.call<{ workflow: { id: string } }>(
      "POST",
      "/api/v1/workflows",
      { workflow: { yaml } },
    );
    return workflow.id;
  }

  async run(workflowId: string, inputs: Record<string, unknown> = {}): Promise<string> {
    const { runId } = await this.call<{ runId: string }>("POST", "/api/v1/runs", {
      workflowId,
      inputs,
    });
    return runId;
  }

  /** Waits until the run is in one of the states. */
  async until(runId: string, ...states: string[]): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      const { run } = await this.call<{ run: { status: string } }>("GET", `/api/v1/runs/${runId}`);
      if (states.includes(run.status)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${runId} never came to ${states.join(" or ")}`);
  }
}

let made = 0;

/** A name that no other test has. */
export function unique(word: string): string {
  made += 1;
  return `${word}-${process.pid}-${made}-${Math.random().toString(36).slice(2, 6)}`;
}
