/** Projects that need no packages, so that their builds download nothing. */
import type { Page } from "@playwright/test";

import type { Api } from "./api";
import { createZip } from "./zip";

/** Calls a model, prints, writes a file into a folder, and contacts a host that is not allowed. */
export const MAIN = `import json, os, pathlib, urllib.request

MODEL = "gpt-4o"
TOKEN = os.environ.get("WEATHER_API_KEY")


def ask(text):
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps({"model": MODEL, "messages": [{"role": "user", "content": text}]}).encode(),
        {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]["content"]


class Brief:
    def kickoff(self, inputs):
        print("Looking up", inputs["topic"])
        try:
            urllib.request.urlopen("https://weather.example.com/today", timeout=5)
        except OSError as error:
            print("No weather:", error)
        report = pathlib.Path("output/reports/today.md")
        report.parent.mkdir(parents=True)
        report.write_text(ask("Write about " + inputs["topic"]))
        return report.read_text()


def run():
    return Brief().kickoff(inputs={"topic": "bees"})


if __name__ == "__main__":
    run()
`;

export function createProject(name: string, main = MAIN): Buffer {
  return createZip({
    "pyproject.toml": `[project]\nname = "${name}"\nversion = "1.0"\nrequires-python = ">=3.10"\ndependencies = []\n`,
    "src/brief/main.py": main,
    "src/brief/notes/readme.md": "# Notes\n",
    ".env": "MAIL_TOKEN=value-of-a-secret-0123456789\n",
  });
}

export const asFile = (buffer: Buffer, name = "project.zip") => ({
  name,
  mimeType: "application/zip",
  buffer,
});

/** Drops a file on the page, as from a file manager. */
export async function dropFile(page: Page, { name, mimeType, buffer }: ReturnType<typeof asFile>) {
  const data = await page.evaluateHandle(
    ([base64, fileName, type]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], fileName, { type }));
      return transfer;
    },
    [buffer.toString("base64"), name, mimeType] as const,
  );
  for (const type of ["dragover", "drop"])
    await page.dispatchEvent("main", type, { dataTransfer: data });
}

/** Waits up to 60 s until the newest version of a project can run. */
export async function waitForBuild(api: Api, projectId: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { project } = await api.call<{ project: { status: string } }>(
      "GET",
      `/api/v1/projects/${projectId}`,
    );
    if (project.status === "ready") return;
    if (project.status === "failed") throw new Error(`Project ${projectId} was not built.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Project ${projectId} was not built in time.`);
}
