import { VersionBuild } from "@/components/project/version-build";
import type { Project } from "@/lib/api/types";

import { useShownVersion } from "./use-shown-version";
import { VersionChoice } from "./version-choice";

/** The newest build of a version with its log. */
export function BuildTab({ project }: { project: Project }) {
  const [version, showVersion] = useShownVersion(project);
  return (
    <div className="grid gap-4">
      {project.newestVersion > 1 && (
        <VersionChoice newest={project.newestVersion} value={version} onChange={showVersion} />
      )}
      <VersionBuild key={version} projectId={project.id} version={version} />
    </div>
  );
}
