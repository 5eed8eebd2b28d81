/** A separate product that has a run in every state. */
import { Api } from "./api";
import { twoTasks } from "./documents.mjs";
import { FreshProduct } from "./fresh-product";
import { gateReply, Provider } from "./provider";

const NOTE = `## A note

- Bees **dance**.

| what | how much |
| --- | --- |
| honey | 20 kg |
`;

export type PreparedIds = Record<
  | "completed"
  | "second"
  | "failed"
  | "stopped"
  | "approval"
  | "budget"
  | "running"
  | "queued"
  | "workflow",
  string
>;

export class ProductWithRuns {
  readonly url: string;
  readonly api: Api;
  readonly provider: Provider;
  private readonly product: FreshProduct;
  private preparedIds: Promise<PreparedIds> | undefined;

  private constructor(product: FreshProduct, provider: Provider) {
    this.product = product;
    this.url = product.url;
    this.api = new Api(product.url);
    this.provider = provider;
  }

  /** Starts without runs. Only one run executes at a time, so that another can be queued. */
  static async start(): Promise<ProductWithRuns> {
    const [product, provider] = await Promise.all([
      FreshProduct.start({ WORKER_CONCURRENCY: "1" }),
      Provider.start(),
    ]);
    return new ProductWithRuns(product, provider);
  }

  /** Creates the runs on the first call; returns the ids of the runs and of their workflow. */
  ensureRuns(): Promise<PreparedIds> {
    this.preparedIds ??= this.createRuns();
    return this.preparedIds;
  }

  async stop(): Promise<void> {
    await this.provider.stop();
    await this.product.stop();
  }

  private async createRuns(): Promise<PreparedIds> {
    const { api, provider } = this;
    await provider.script([
      { contains: "about FAIL", reply: { kind: "Fail", status: 401, message: "Wrong key" } },
      { contains: "about STOP", reply: gateReply("never", "Facts.") },
      { contains: "note on HOLD", reply: gateReply("never", "A note.") },
      { contains: "Write a note", reply: NOTE },
      "Three facts.",
    ]);
    const model = await api.createModel(provider.baseUrl);
    const workflow = await api.createWorkflow(twoTasks(model, "Market research"));
    const reviewed = `${twoTasks(model, "Reviewed brief")}    human_input: true\n`;
    const limited = `${twoTasks(model, "Limited brief")}budget:\n  max_llm_calls: 1\n`;
    const completed = await this.startRun(workflow, "bees", "completed");
    const second = await this.startRun(workflow, "wasps", "completed");
    const failed = await this.startRun(workflow, "FAIL", "failed");
    const stopped = await this.startRun(workflow, "STOP", "running");
    await api.call("POST", `/api/v1/runs/${stopped}/stop`, { mode: "now" });
    await api.waitForStatus(stopped, "stopped");
    const approval = await this.startRun(await api.createWorkflow(reviewed), "bees", "waiting");
    const budget = await this.startRun(await api.createWorkflow(limited), "bees", "waiting");
    const callCount = (await provider.getState()).count;
    const running = await this.startRun(workflow, "HOLD", "running");
    await provider.waitForCalls(callCount + 2);
    const queued = await this.startRun(workflow, "tea", "queued");
    return { completed, second, failed, stopped, approval, budget, running, queued, workflow };
  }

  private async startRun(workflow: string, topic: string, state: string): Promise<string> {
    const id = await this.api.startRun(workflow, { topic });
    await this.api.waitForStatus(id, state);
    return id;
  }
}
