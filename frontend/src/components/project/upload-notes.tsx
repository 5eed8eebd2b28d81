import { skipToken, useQuery } from "@tanstack/react-query";

import { Alert } from "@/components/ui/alert";
import type { Project, ProjectUpload } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { projectKeys } from "@/lib/queries/projects";

/** What the last upload in this tab reported, except for the warnings of the inspection. */
export function UploadNotes({ project }: { project: Project }) {
  const { data: uploaded } = useQuery<ProjectUpload>({
    queryKey: projectKeys.upload(project.id),
    queryFn: skipToken,
  });
  if (!uploaded) return null;
  const shown = project.version.inspection.warnings ?? [];
  const warnings = uploaded.warnings.filter((warning) => !shown.includes(warning));
  const { sealedNames } = uploaded;
  return (
    <>
      {sealedNames.length > 0 && (
        <Alert
          title={`${pluralize(sealedNames.length, "variable")} of .env files ${sealedNames.length === 1 ? "is" : "are"} now stored encrypted`}
        >
          {sealedNames.join(", ")}. Runs of the project get{" "}
          {sealedNames.length === 1 ? "it" : "them"}. The .env files themselves were not stored.
        </Alert>
      )}
      {warnings.length > 0 && (
        <Alert tone="warn" title="Notes about the upload">
          <ul className="grid list-disc gap-1 pl-4">
            {warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Alert>
      )}
    </>
  );
}
