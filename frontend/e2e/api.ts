/** Client of the product's HTTP API, used to prepare test data. */
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

  /** Registers a scripted provider with one model and returns the model's name. */
  async createModel(providerUrl: string): Promise<string> {
    const name = uniqueName("model");
    const { provider } = await this.call<{ provider: { id: string } }>(
      "POST",
      "/api/v1/providers",
      {
        provider: {
          name: uniqueName("provider"),
          type: "openai_compatible",
          apiKey: "sk-e2e-0123456789",
          baseUrl: providerUrl,
        },
      },
    );
    await this.call("POST", "/api/v1/models", {
      model: { name, type: "llm", providerId: provider.id, providerModel: name },
    });
    return name;
  }

  async createWorkflow(yaml: string): Promise<string> {
    const { workflow } = await this.call<{ workflow: { id: string } }>(
      "POST",
      "/api/v1/workflows",
      { workflow: { yaml } },
    );
    return workflow.id;
  }

  /** Uploads the zip of a project, or the next version of one; returns the project's id. */
  async uploadProject(zip: Buffer, projectId?: string): Promise<string> {
    const path = projectId ? `/api/v1/projects/${projectId}/versions` : "/api/v1/projects";
    const response = await fetch(`${this.base}${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${this.key}`, "Content-Type": "application/zip" },
      body: new Uint8Array(zip),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    const { project } = (await response.json()) as { project: { id: string } };
    return project.id;
  }

  async startRun(workflowId: string, inputs: Record<string, unknown> = {}): Promise<string> {
    const { runId } = await this.call<{ runId: string }>("POST", "/api/v1/runs", {
      workflowId,
      inputs,
    });
    return runId;
  }

  /** Waits up to 30 s until the run has one of the statuses. */
  async waitForStatus(runId: string, ...statuses: string[]): Promise<void> {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const { run } = await this.call<{ run: { status: string } }>("GET", `/api/v1/runs/${runId}`);
      if (statuses.includes(run.status)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Run ${runId} did not reach status ${statuses.join(" or ")}`);
  }
}

let nameCount = 0;

/** Returns a name that no other test uses. */
export function uniqueName(prefix: string): string {
  nameCount += 1;
  return `${prefix}-${process.pid}-${nameCount}-${Math.random().toString(36).slice(2, 6)}`;
}
