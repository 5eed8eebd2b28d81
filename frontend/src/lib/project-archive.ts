const MAX_BYTES = 64 * 1024 * 1024;

/** Returns the only file if it can be uploaded as a project, else why not. */
export function chooseArchive(files: readonly File[]): { file: File } | { problem: string } {
  const [file] = files;
  if (!file) return { problem: "Choose the zip of a project." };
  if (files.length > 1)
    return { problem: "Choose one zip that contains all files of the project." };
  if (!/\.zip$/i.test(file.name)) {
    return {
      problem: `${file.name} is not a zip. Pack the folder of the project as a zip and choose that.`,
    };
  }
  if (file.size === 0) return { problem: `${file.name} is empty, or it is a folder.` };
  if (file.size > MAX_BYTES) {
    return {
      problem: `${file.name} is larger than 64 MiB. Leave out data, installed packages and the folder .git.`,
    };
  }
  return { file };
}
