export interface TextFile {
  name: string;
  text: string;
}

/** What is to be imported: a document, CrewAI's two files, or a zip of a project. */
export type Source =
  | { kind: "document"; text: string }
  | { kind: "pair"; agents: TextFile | null; tasks: TextFile | null; name: string }
  | { kind: "archive"; file: File };

export const MAX_UPLOAD_BYTES = 4 * 1024 * 1024;
export const ACCEPTED = ".yaml,.yml,.zip";

const ADVICE =
  "Choose one workflow document, or agents.yaml and tasks.yaml, or a zip of a CrewAI project.";

/** What the chosen files are; a half of a pair joins the half that was there before. */
export async function sourceOf(
  files: readonly File[],
  before: Source,
): Promise<Source | { problem: string }> {
  const large = files.find((file) => file.size > MAX_UPLOAD_BYTES);
  if (large) return { problem: `${large.name} is larger than 4 MiB.` };
  const unknown = files.find((file) => !/\.(ya?ml|zip)$/i.test(file.name));
  if (unknown) return { problem: `${unknown.name} is neither YAML nor a zip. ${ADVICE}` };
  const [first] = files;
  if (!first) return before;
  if (files.length === 1 && isArchive(first)) return { kind: "archive", file: first };
  if (files.some(isArchive)) return { problem: `A zip comes alone. ${ADVICE}` };
  return yamlSource(await Promise.all(files.map(read)), before);
}

function yamlSource(files: readonly TextFile[], before: Source): Source | { problem: string } {
  const agents = files.find((file) => /agents?\.ya?ml$/i.test(file.name));
  const tasks = files.find((file) => /tasks?\.ya?ml$/i.test(file.name));
  const [first] = files;
  if (agents || tasks) {
    if (files.length > (agents && tasks ? 2 : 1)) return { problem: ADVICE };
    const known = before.kind === "pair" ? before : { agents: null, tasks: null, name: "" };
    return {
      kind: "pair",
      agents: agents ?? known.agents,
      tasks: tasks ?? known.tasks,
      name: known.name,
    };
  }
  return first && files.length === 1 ? { kind: "document", text: first.text } : { problem: ADVICE };
}

/** Why a source cannot be sent yet, or null when it can. */
export function missing(source: Source): string | null {
  if (source.kind === "archive") return null;
  if (source.kind === "document")
    return source.text.trim() ? null : "Paste a document or choose files first.";
  if (!source.agents) return "Add agents.yaml too.";
  return source.tasks ? null : "Add tasks.yaml too.";
}

function isArchive(file: File): boolean {
  return /\.zip$/i.test(file.name);
}

async function read(file: File): Promise<TextFile> {
  return { name: file.name, text: await file.text() };
}
