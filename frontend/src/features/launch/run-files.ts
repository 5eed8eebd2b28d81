/** Files that are attached to a run at its start. */
import type { WorkflowDefinition } from "@/lib/api/types";
import { formatFileSize } from "@/lib/format-file-size";

const FILE_TOOLS = new Set(["list_files", "read_file", "read_pdf", "read_table", "write_file"]);
const MAX_FILES = 20;
const MAX_FILE_BYTES = 10 * 1024 * 1024;
const MAX_BYTES = 50 * 1024 * 1024;

/** Whether an agent or a task has a tool that reads or writes the files of the run. */
export function usesFiles({ agents, tasks }: WorkflowDefinition): boolean {
  return [...agents, ...tasks].some(({ tools }) => tools?.some((tool) => FILE_TOOLS.has(tool)));
}

/** Adds files to those chosen before, in place of ones with the same name; or says why that is not possible. */
export function addFiles(
  chosen: readonly File[],
  added: readonly File[],
): { files: File[] } | { problem: string } {
  const names = new Set(added.map(({ name }) => name));
  const files = [...chosen.filter(({ name }) => !names.has(name)), ...added];
  if (files.length > MAX_FILES) return { problem: `Attach at most ${MAX_FILES} files.` };
  const large = files.find(({ size }) => size > MAX_FILE_BYTES);
  if (large) return { problem: `${large.name} is larger than ${formatFileSize(MAX_FILE_BYTES)}.` };
  if (files.reduce((sum, { size }) => sum + size, 0) > MAX_BYTES) {
    return { problem: `All files together can have ${formatFileSize(MAX_BYTES)}.` };
  }
  return { files };
}

export function createStartForm(request: object, files: readonly File[]): FormData {
  const form = new FormData();
  form.append("run", JSON.stringify(request));
  for (const file of files) form.append("files", file, file.name);
  return form;
}
