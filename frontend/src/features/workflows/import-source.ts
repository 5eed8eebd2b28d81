export interface TextFile {
  name: string;
  text: string;
}

/** What to import: a workflow document, agents.yaml and tasks.yaml, or a zip of a CrewAI project. */
export type Source =
  | { kind: "document"; text: string }
  | { kind: "pair"; agents: TextFile | null; tasks: TextFile | null; name: string }
  | { kind: "archive"; file: File };

export const MAX_UPLOAD_BYTES = 4 * 1024 * 1024;
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;
export const ACCEPTED = ".yaml,.yml,.zip";

const ACCEPTED_FILES =
  "Choose one workflow document, or agents.yaml and tasks.yaml, or a zip of a CrewAI project.";

/** Reads at least one selected file; of agents.yaml and tasks.yaml, the other one may be missing. */
export async function readSource(files: readonly File[]): Promise<Source | { problem: string }> {
  const large = files.find((file) => file.size > getMaxBytes(file));
  if (large) {
    return { problem: `${large.name} is larger than ${getMaxBytes(large) / 1024 ** 2} MiB.` };
  }
  const unknown = files.find((file) => !/\.(ya?ml|zip)$/i.test(file.name));
  if (unknown) return { problem: `${unknown.name} is neither YAML nor a zip. ${ACCEPTED_FILES}` };
  const [first] = files;
  if (first && files.length === 1 && isArchive(first)) return { kind: "archive", file: first };
  if (files.some(isArchive))
    return { problem: `A zip has to be imported on its own. ${ACCEPTED_FILES}` };
  return createYamlSource(await Promise.all(files.map(readTextFile)));
}

/** Adds newly read files to the source: agents.yaml and tasks.yaml may be selected one by one. */
export function addToSource(current: Source, read: Source): Source {
  if (current.kind !== "pair" || read.kind !== "pair") return read;
  return {
    kind: "pair",
    agents: read.agents ?? current.agents,
    tasks: read.tasks ?? current.tasks,
    name: current.name,
  };
}

function createYamlSource(files: readonly TextFile[]): Source | { problem: string } {
  const agents = files.find((file) => /agents?\.ya?ml$/i.test(file.name));
  const tasks = files.find((file) => /tasks?\.ya?ml$/i.test(file.name));
  const [first] = files;
  if (agents || tasks) {
    if (files.length > (agents && tasks ? 2 : 1)) return { problem: ACCEPTED_FILES };
    return { kind: "pair", agents: agents ?? null, tasks: tasks ?? null, name: "" };
  }
  return first && files.length === 1
    ? { kind: "document", text: first.text }
    : { problem: ACCEPTED_FILES };
}

/** What a source lacks before it can be imported; null when it is complete. */
export function describeMissing(source: Source): string | null {
  if (source.kind === "archive") return null;
  if (source.kind === "document")
    return source.text.trim() ? null : "Paste a document or choose files first.";
  if (!source.agents) return "Add agents.yaml too.";
  return source.tasks ? null : "Add tasks.yaml too.";
}

function getMaxBytes(file: File): number {
  return isArchive(file) ? MAX_ARCHIVE_BYTES : MAX_UPLOAD_BYTES;
}

function isArchive(file: File): boolean {
  return /\.zip$/i.test(file.name);
}

async function readTextFile(file: File): Promise<TextFile> {
  return { name: file.name, text: await file.text() };
}
