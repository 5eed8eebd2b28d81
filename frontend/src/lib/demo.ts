/** The demo: a real crew on the small model that comes with the product. */
import { api, body } from "./api/client";
import type { About, Model, Template } from "./api/types";

/** Whether the demo can run here, and the server's words for it. */
export interface DemoAvailability {
  available: boolean;
  message: string;
}

export function demoAvailability(about: About, models: readonly Model[]): DemoAvailability {
  const { state, message } = about.localModel;
  if (state === "ready" || state === "starting") return { available: true, message };
  // Off is also what starts at first use; then the model is there to be used.
  const sleeps = state === "off" && !message.startsWith("Switched off");
  const possible = sleeps && models.some((model) => model.providerType === "local");
  return { available: possible, message };
}

/** Saves the demo's workflow, unless it is there from a try before, and starts it; gives the run's id. */
export async function startDemo(templates: readonly Template[]): Promise<string> {
  const template = templates.find((one) => one.runsOnLocalModel);
  if (!template) throw new Error("This server has no demo workflow.");
  const workflowId =
    (await findWorkflowId(template.title)) ?? (await createWorkflow(template.yaml));
  const answer = body(await api.POST("/api/v1/runs", { body: { workflowId, inputs: {} } }));
  return answer.runId;
}

async function findWorkflowId(name: string): Promise<string | undefined> {
  const query = { text: name };
  const { workflows } = body(await api.GET("/api/v1/workflows", { params: { query } }));
  return workflows.find((workflow) => workflow.name === name)?.id;
}

async function createWorkflow(yaml: string): Promise<string> {
  return body(await api.POST("/api/v1/workflows", { body: { workflow: { yaml } } })).workflow.id;
}
