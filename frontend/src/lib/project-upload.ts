/** What of the chosen files is sent as a project: a zip, or the files of a folder. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 5_000;

/** A file with its path in the chosen folder: `my-crew/src/main.py`. */
export interface ProjectFileSource {
  path: string;
  file: File;
}

/** Folders that tools create; the server does not need them. */
const SKIPPED_FOLDERS = new Set([
  ".git",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
  ".tox",
  ".venv",
  "__pycache__",
  "node_modules",
  "venv",
]);

export function isSkippedFolder(name: string): boolean {
  return SKIPPED_FOLDERS.has(name);
}

/** Returns the body of the upload, or why the files cannot be uploaded. */
export function createUpload(
  files: readonly ProjectFileSource[],
): { body: Blob | FormData } | { problem: string } {
  const [first] = files;
  if (!first) return { problem: "Choose the zip or the folder of a project." };
  const isFolder = files.some(({ path }) => path.includes("/"));
  return isFolder ? createForm(files) : checkZip(first.file, files.length);
}

function checkZip(file: File, count: number): { body: Blob } | { problem: string } {
  if (count > 1) return { problem: "Choose one zip, or the folder that contains the project." };
  if (!/\.zip$/i.test(file.name)) {
    return { problem: `${file.name} is not a zip. Choose the zip or the folder of the project.` };
  }
  if (file.size === 0) return { problem: `${file.name} is empty.` };
  return file.size > MAX_BYTES ? { problem: describeSize(file.name) } : { body: file };
}

function createForm(files: readonly ProjectFileSource[]): { body: FormData } | { problem: string } {
  const kept = files.filter(({ path }) => !path.split("/").slice(0, -1).some(isSkippedFolder));
  const name = files[0]?.path.split("/")[0] ?? "The folder";
  if (kept.length > MAX_FILES) {
    return {
      problem: `${name} has more than ${MAX_FILES.toLocaleString("en")} files. Leave out data and installed packages.`,
    };
  }
  const size = kept.reduce((sum, { file }) => sum + file.size, 0);
  if (size > MAX_BYTES) return { problem: describeSize(name) };
  const form = new FormData();
  for (const { path, file } of kept) form.append("files", file, path);
  return { body: form };
}

function describeSize(name: string): string {
  return `${name} is larger than 64 MiB. Leave out data, installed packages and the folder .git.`;
}
